import { finished, pipeline, Readable, Transform } from 'node:stream';

/** What becomes of a body's copy: told once it has ended whole; the stream's own end waits for it. */
export type OnWhole = (body: Uint8Array) => Promise<void>;

/** Keeps copies of what passes, as long as they stay within a limit. */
class Collector {
  readonly #limit: number;
  #chunks: Uint8Array[] | undefined = [];
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(chunk: Uint8Array): void {
    this.#size += chunk.byteLength;
    if (this.#size > this.#limit) this.#chunks = undefined;
    // A copy: who reads the stream may write to what it is given.
    this.#chunks?.push(Buffer.from(chunk));
  }

  /** Everything in one piece; undefined where it was too much. */
  get whole(): Uint8Array | undefined {
    return this.#chunks && Buffer.concat(this.#chunks);
  }
}

/**
 * The stream to hand to the caller instead of the origin's: the same bytes as they arrive, at the pace of its reader.
 *
 * @param limit bytes; a longer body is passed on without being kept
 */
export function teed(source: unknown, limit: number, onWhole: OnWhole, onTooLong: () => void): unknown {
  if (source instanceof ReadableStream) return teedWeb(source, limit, onWhole, onTooLong);
  const collector = new Collector(limit);
  const tee = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      collector.add(chunk);
      done(null, chunk);
    },
    flush(done) {
      settled(collector, onWhole, onTooLong).then(() => done(), done);
    },
  });
  mirror(source as Readable, tee);
  // A source that is cut off, or a reader that leaves, ends both without the end being reached.
  return pipeline(source as Readable, tee, () => {});
}

/** What an IncomingMessage and a stream of HTTP/2 tell beside their bytes. */
const TOLD = [
  ...['headers', 'rawHeaders', 'trailers', 'statusCode', 'statusMessage', 'httpVersion', 'complete', 'socket'],
  ...['responseUrl', 'sentHeaders', 'id', 'rstCode'],
];

/** Has a stream tell what its source tells. */
function mirror(source: Readable, target: object): void {
  keepSession(source, target);
  for (const name of TOLD) {
    if (name in source)
      Object.defineProperty(target, name, { configurable: true, get: () => source[name as keyof Readable] });
  }
}

/** A stream of HTTP/2 forgets its session once it has ended, which it may before its answer is with the caller. */
export function keepSession(source: unknown, target: unknown): void {
  const { session } = (source ?? {}) as { session?: unknown };
  if (session) Object.defineProperty(target, 'session', { configurable: true, value: session });
}

function teedWeb(source: ReadableStream<Uint8Array>, limit: number, onWhole: OnWhole, onTooLong: () => void): unknown {
  const collector = new Collector(limit);
  return source.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        collector.add(chunk);
        controller.enqueue(chunk);
      },
      flush: () => settled(collector, onWhole, onTooLong),
    }),
  );
}

async function settled(collector: Collector, onWhole: OnWhole, onTooLong: () => void): Promise<void> {
  const { whole } = collector;
  if (whole) await onWhole(whole);
  else onTooLong();
}

/** Ends a stream that nobody will read. */
export function discard(source: unknown): void {
  if (source instanceof ReadableStream) source.cancel().catch(() => {});
  else if (source instanceof Readable) {
    finished(source, () => {});
    source.destroy();
  }
}

/** Stored bytes as a Node stream. */
export function streamOf(body: Uint8Array): Readable {
  let given = false;
  return new Readable({
    read() {
      if (!given && body.byteLength > 0) this.push(Buffer.from(body));
      given = true;
      this.push(null);
    },
  });
}

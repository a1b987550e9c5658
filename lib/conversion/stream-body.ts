import { finished, pipeline, Readable, Transform } from 'node:stream';
import type { CollectOptions } from '../exchange/origin.js';

/** Collects copies of the chunks of a stream, up to a limit. */
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
    // A copy, since the reader of the stream may write to its chunks.
    this.#chunks?.push(Buffer.from(chunk));
  }

  /** The collected bytes; undefined if they exceeded the limit. */
  get whole(): Uint8Array | undefined {
    return this.#chunks && Buffer.concat(this.#chunks);
  }
}

/**
 * Returns a stream with the same bytes as they arrive, at the pace of its reader, of which a copy is collected.
 *
 * @param isTruncated whether the end of the source is not that of the body
 */
export function teed(source: unknown, options: CollectOptions, isTruncated = () => false): unknown {
  if (isWebStream(source)) return teedWeb(source, options);
  const collector = new Collector(options.limit);
  let isComplete = false;
  const tee = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      collector.add(chunk);
      done(null, chunk);
    },
    flush(done) {
      isComplete = !isTruncated();
      if (!isComplete) return done();
      settled(collector, options).then(() => done(), done);
    },
  });
  mirror(source as Readable, tee);
  // An incomplete source, or a reader that stops, destroys both streams before their end.
  return pipeline(source as Readable, tee, () => {
    if (!isComplete) options.onIncomplete('aborted');
  });
}

/** Members of an IncomingMessage and of an HTTP/2 stream besides the bytes. */
const COPIED_MEMBERS = [
  ...['headers', 'rawHeaders', 'trailers', 'statusCode', 'statusMessage', 'httpVersion', 'complete', 'socket'],
  ...['responseUrl', 'sentHeaders', 'id', 'rstCode'],
];

/** Defines the members of the source on a stream. */
function mirror(source: Readable, target: object): void {
  keepSession(source, target);
  for (const name of COPIED_MEMBERS) {
    if (name in source)
      Object.defineProperty(target, name, { configurable: true, get: () => source[name as keyof Readable] });
  }
}

/** Returns whether an HTTP/2 stream was reset: it then ends as if its body were whole, without an error. */
export function isReset(request: unknown): boolean {
  const { rstCode } = (request ?? {}) as { rstCode?: unknown };
  return typeof rstCode === 'number' && rstCode !== 0;
}

/**
 * Keeps the session of an HTTP/2 stream, which the stream releases at its end, possibly before the caller has the
 * response.
 */
export function keepSession(source: unknown, target: unknown): void {
  const { session } = (source ?? {}) as { session?: unknown };
  if (session) Object.defineProperty(target, 'session', { configurable: true, value: session });
}

function teedWeb(source: ReadableStream<Uint8Array>, options: CollectOptions): unknown {
  const collector = new Collector(options.limit);
  const reader = source.getReader();
  let isOpen = true;
  const abandon = () => {
    if (isOpen) options.onIncomplete('aborted');
    isOpen = false;
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        // Cancelling ends a read that is waiting, as the end of the body does.
        if (!isOpen) return;
        if (!done) {
          collector.add(value);
          controller.enqueue(value);
          return;
        }
        isOpen = false;
        await settled(collector, options);
        controller.close();
      } catch (error) {
        abandon();
        controller.error(error);
      }
    },
    cancel(reason) {
      abandon();
      return reader.cancel(reason);
    },
  });
}

async function settled(collector: Collector, { onComplete, onIncomplete }: CollectOptions): Promise<void> {
  const { whole } = collector;
  if (whole) await onComplete(whole);
  else onIncomplete('body-too-large');
}

/** Destroys a stream that will not be read. */
export function discard(source: unknown): void {
  if (isWebStream(source)) source.cancel().catch(() => {});
  else if (source instanceof Readable) {
    finished(source, () => {});
    source.destroy();
  }
}

/** Returns stored bytes as a Node stream. */
export function streamOf(body: Uint8Array): Readable {
  return new Readable({
    // Called once, since the stream ends by it.
    read() {
      if (body.byteLength > 0) this.push(Buffer.from(body));
      this.push(null);
    },
  });
}

/** By its tag: some realms have no such class. */
function isWebStream(source: unknown): source is ReadableStream<Uint8Array> {
  return Object.prototype.toString.call(source) === '[object ReadableStream]';
}

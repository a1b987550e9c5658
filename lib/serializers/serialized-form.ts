import { CacheError } from '../errors.js';
import { bufferOf, bytesOf, decodeText, encodeText } from '../platform/bytes.js';
import { chain, isPromise, type MaybePromise, recover } from '../platform/maybe-promise.js';
import { withinTime } from '../platform/real-time.js';
import { isImmediate } from './open-serializer.js';
import { isOwnSerializer } from './pipeline.js';
import type { Serializer } from './serializer.js';

/** Milliseconds that a serializer may take to read one entry. */
const READING_TIMEOUT = 30_000;

/**
 * The output of a serializer for metadata and bodies. Metadata begins with a line of the serializer's name, marked
 * `;text` if
 * the serializer returned text.
 */
export class SerializedForm {
  /** Whether metadata can be written at once, and cannot fail. */
  readonly isImmediate: boolean;
  readonly #serializer: Serializer;
  readonly #textLine: Buffer;
  readonly #bytesLine: Buffer;

  constructor(serializer: Serializer) {
    this.isImmediate = isImmediate(serializer);
    this.#serializer = serializer;
    this.#textLine = Buffer.from(`${serializer.name};text\n`);
    this.#bytesLine = Buffer.from(`${serializer.name}\n`);
  }

  /** Whether bodies are stored in another form, which may be shorter. */
  get packsBodies(): boolean {
    return this.#serializer.body !== undefined;
  }

  /** @throws CacheError `ERR_CACHE_SERIALIZER` if the serializer cannot write the value */
  writeMetadata(value: unknown): MaybePromise<Uint8Array> {
    return this.#writing(() => chain(this.#serializer.dumps(value), (data) => this.#withName(data)));
  }

  /** Writes metadata by a serializer that is {@link SerializedForm.isImmediate}. */
  writeMetadataNow(value: unknown): Uint8Array {
    return this.#withName(this.#serializer.dumps(value));
  }

  /** @throws CacheError `ERR_CACHE_SERIALIZER` if the serializer cannot write the body */
  writeBody(body: Uint8Array): MaybePromise<Uint8Array> {
    const encoding = this.#serializer.body;
    return encoding ? this.#writing(() => chain(encoding.dumps(body), checkedBytes)) : body;
  }

  /** Whether metadata was written by a serializer of this name. */
  isOwn(meta: Uint8Array): boolean {
    return startsWith(meta, this.#textLine) || startsWith(meta, this.#bytesLine);
  }

  /**
   * Reads metadata that {@link SerializedForm.isOwn}.
   *
   * @throws the error of the serializer
   */
  readMetadata(meta: Uint8Array): MaybePromise<unknown> {
    if (!startsWith(meta, this.#textLine))
      return inTime(this.#serializer.loads(bufferOf(meta.subarray(this.#bytesLine.length))));
    return inTime(this.#serializer.loads(decodeText(meta.subarray(this.#textLine.length))));
  }

  /**
   * @param size bytes of the body before it was written
   * @throws the error of the serializer; RangeError if the body has another length
   */
  readBody(data: Uint8Array, size: number): MaybePromise<Uint8Array> {
    return chain(inTime(this.#serializer.body?.loads(data, size) ?? data), (body) => {
      if (checkedBytes(body).byteLength === size) return body;
      throw new RangeError(`the body has ${body.byteLength} bytes instead of ${size}`);
    });
  }

  /**
   * Returns the reason why an entry is unreadable: an error `ERR_CACHE_SERIALIZER` if the user's code may be wrong.
   * Output of this package is unreadable only if it is damaged.
   */
  readError(error: unknown): unknown {
    return isOwnSerializer(this.#serializer) ? error : this.#failure('cannot read a stored response', error);
  }

  #withName(data: unknown): Uint8Array {
    if (typeof data === 'string') return Buffer.concat([this.#textLine, encodeText(data)]);
    return Buffer.concat([this.#bytesLine, checkedBytes(data)]);
  }

  #writing<T>(write: () => MaybePromise<T>): MaybePromise<T> {
    return recover(write, (error) => {
      throw this.#failure('cannot write a response', error);
    });
  }

  #failure(what: string, cause: unknown): CacheError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new CacheError('ERR_CACHE_SERIALIZER', `serializer "${this.#serializer.name}" ${what}: ${reason}`, {
      cause,
    });
  }
}

/** A listing must end, even if the user's code never does. */
function inTime<T>(reading: MaybePromise<T>): MaybePromise<T> {
  if (!isPromise(reading)) return reading;
  return withinTime(Promise.resolve(reading), READING_TIMEOUT, () => new Error('it did not finish in time'), {
    keepsProcess: false,
  });
}

function startsWith(meta: Uint8Array, line: Buffer): boolean {
  return line.equals(meta.subarray(0, line.byteLength));
}

function checkedBytes(value: unknown): Uint8Array {
  const bytes = bytesOf(value);
  if (bytes) return bytes;
  throw new TypeError(`a ${value === null ? 'null' : typeof value} is not text or bytes`);
}

import type { ResponseRecord } from './record.js';

/** A stored response as users see it: in `filterFn`, in `expireAfter` functions and when reading a cache. */
export class CachedResponse {
  readonly #record: ResponseRecord;

  constructor(record: ResponseRecord) {
    this.#record = record;
  }

  get status(): number {
    return this.#record.status;
  }

  /** When the response was received, or last validated. */
  get createdAt(): Date {
    return new Date(this.#record.created);
  }

  /** When it stops being fresh; `null` for never. */
  get expires(): Date | null {
    return this.#record.expires === Infinity ? null : new Date(this.#record.expires);
  }

  /** Bytes of the body. */
  get size(): number {
    return this.#record.body.byteLength;
  }
}

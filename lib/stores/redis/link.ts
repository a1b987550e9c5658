import { monotonicNow } from '../../platform/real-time.js';
import type { Access } from '../store-failure.js';
import type { Reachable, Redis } from './client.js';
import { isMove, PartialFailure, redisFailure, replyCode } from './failures.js';
import { SilenceWatch } from './silence.js';

/** Parts of a connection that depend on the kind of client. */
export interface LinkParts {
  readonly redis: Reachable;
  /** The first of several overlapping uses began. */
  readonly onBusy?: () => void;
  /** The last of several overlapping uses ended. */
  readonly onIdle?: () => void;
  /** Ends the connection: pending commands are rejected. A user's own client remains connected. */
  readonly end: () => void;
  /** Whether `end` rejects pending commands; else the link does. */
  readonly endRejects: boolean;
}

/** Milliseconds: a connection without any answer for one to two of these has failed. */
const SILENCE = 5_000;
/** Milliseconds that a connection is used at least before an error reply makes way for a new one. */
const LEAST_USE = 5_000;

/** An open connection: counts its uses, and ends if it fails or stays silent. */
export class Link {
  readonly #parts: LinkParts;
  readonly #forget: () => void;
  readonly #openedAt = monotonicNow();
  readonly #waiting: Set<(error: Error) => void> | undefined;
  readonly #watch = new SilenceWatch(SILENCE, () => this.fail());
  /** Rejects at the end of the connection. */
  readonly #ended: Promise<never>;
  #reportEnd: (error: Error) => void = () => {};
  #isRetired = false;

  /** @param forget called when the next use has to open another connection */
  constructor(parts: LinkParts, forget: () => void) {
    this.#parts = parts;
    this.#forget = forget;
    this.#waiting = parts.endRejects ? undefined : new Set();
    this.#ended = new Promise((_, reject) => {
      this.#reportEnd = reject;
    });
    // The end of a connection that nobody waits for is no error.
    this.#ended.catch(() => {});
  }

  isReady(): boolean {
    return this.#parts.redis.isReady();
  }

  /** Whether another connection has the same masters. */
  hasMastersOf(other: Link): boolean {
    return this.#parts.redis.topology?.() === other.#parts.redis.topology?.();
  }

  /**
   * Resolves when commands can be sent. The link is in use meanwhile, so that the process does not exit.
   *
   * @throws Error if the connection fails or ends before: node-redis 6 is silent about its own end
   */
  async ready(): Promise<void> {
    this.#begin();
    try {
      await Promise.race([this.#parts.redis.ready(), this.#ended]);
    } finally {
      this.#finish();
    }
  }

  /**
   * Runs commands.
   *
   * @param access decides how a failure is classified
   * @throws StoreFailure
   */
  use<T>(access: Access, work: (redis: Redis) => Promise<T>): Promise<T> {
    this.#begin();
    return this.#rejectable(work(this.#parts.redis)).then(
      (value) => {
        this.#finish();
        return value;
      },
      (error: unknown) => {
        this.#finish();
        if (this.#parts.endRejects) this.#consider(error);
        throw redisFailure(error, access);
      },
    );
  }

  /** Ends the connection after a failure; the next use opens another. */
  fail(): void {
    this.#forget();
    this.close();
    for (const reject of this.#waiting ?? []) reject(new Error('Redis did not answer in time'));
  }

  close(): void {
    this.#watch.stop();
    this.#parts.end();
    this.#reportEnd(new Error('the connection to Redis was closed'));
  }

  /** Makes way for another connection; pending commands still get their answers. */
  retire(): void {
    this.#isRetired = true;
    this.#forget();
    if (this.#watch.pending === 0) this.close();
  }

  #begin(): void {
    this.#watch.begin();
    if (this.#watch.pending === 1) this.#parts.onBusy?.();
  }

  #finish(): void {
    this.#watch.finish();
    if (this.#watch.pending > 0) return;
    if (this.#isRetired) this.close();
    else this.#parts.onIdle?.();
  }

  /** After a reply of a server that is not the master, another connection may find the master. */
  #consider(error: unknown): void {
    if (error instanceof PartialFailure) return;
    if (replyCode(error) === undefined) this.fail();
    else if (isMove(error) && monotonicNow() - this.#openedAt > LEAST_USE) this.retire();
  }

  #rejectable<T>(work: Promise<T>): Promise<T> {
    const waiting = this.#waiting;
    if (!waiting) return work;
    return new Promise((resolve, reject) => {
      waiting.add(reject);
      const settled = () => waiting.delete(reject);
      work.then(
        (value) => {
          settled();
          resolve(value);
        },
        (error: unknown) => {
          settled();
          reject(error);
        },
      );
    });
  }
}

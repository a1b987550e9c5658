import { setTimeout as pause } from 'node:timers/promises';
import { CacheError, UnsupportedOperationError } from '../errors.js';
import type { CacheEvent } from '../models/events.js';
import { isPromise, type MaybePromise } from '../platform/maybe-promise.js';
import { within } from '../platform/time-limit.js';
import type { Store } from './store.js';

/** What went wrong with the store during a call, as Cache-Status tells it. */
export type StoreFailure = 'store-down' | 'store-timeout' | 'store-error' | 'too-large-for-store' | 'serializer';

/** One request's dealings with the store: one budget for all its reads, one for its write. */
export interface StoreCall {
  failure: StoreFailure | undefined;
  /** Where this call's events go. */
  readonly tell: (event: CacheEvent) => void;
  /** Milliseconds since the epoch: when the reads' budget is spent. Set by the first read that has to wait. */
  readsUntil: number | undefined;
}

export interface GuardOptions {
  /** Seconds that a request waits for the store; 0 for no limit. Default: 1. */
  readonly backendTimeout?: number | undefined;
  /** Reject requests instead of going on without the store. Default: `false`. */
  readonly strict?: boolean | undefined;
}

/** Seconds. */
const DEFAULT_TIMEOUT = 1;
const CONNECT_TIMEOUT = 5;
const MANAGE_TIMEOUT = 30;
/** Seconds between probes of a store that is out: at first, and at most. */
const FIRST_PROBE = 0.25;
const LAST_PROBE = 5;

/** Mistakes of set-up rather than outages: told to the caller in any mode. */
const ALWAYS_TOLD: ReadonlySet<string> = new Set([
  'ERR_CACHE_BROKEN_PACKAGE',
  'ERR_CACHE_MISSING_PACKAGE',
  'ERR_CACHE_CLOSED',
]);
/** A server's refusal of one write, which says nothing of the next read. */
const REFUSAL =
  /database (or disk is full|is locked)|readonly database|SQLITE_(FULL|READONLY|TOOBIG|BUSY|LOCKED|CONSTRAINT)|\b(OOM|READONLY|MISCONF|NOPERM)\b|too large|maximum allowed size/;

/**
 * Stands before every store. A store that fails, or is slower than its budget, never fails a request: a read is a miss,
 * a write is dropped or goes on in the background. After an outage shows, the store is left alone and probed.
 */
export class CircuitBreaker {
  readonly store: Store;
  readonly #timeout: number;
  readonly #strict: boolean;
  readonly #tell: (event: CacheEvent) => void;
  readonly #now: () => number;
  readonly #background = new Set<Promise<unknown>>();
  #connected = false;
  #closed = false;
  #outage: { readonly since: number; readonly cause: unknown } | undefined;
  #probe: NodeJS.Timeout | undefined;

  /** @param tell hears of the beginning and the end of outages */
  constructor(store: Store, options: GuardOptions, tell: (event: CacheEvent) => void, now: () => number) {
    this.store = store;
    this.#timeout = (options.backendTimeout ?? DEFAULT_TIMEOUT) * 1000;
    this.#strict = options.strict ?? false;
    this.#tell = tell;
    this.#now = now;
  }

  call(tell: (event: CacheEvent) => void): StoreCall {
    return { failure: undefined, tell, readsUntil: undefined };
  }

  /**
   * Reads for a request: at once where the store answers at once. Undefined where it failed, which the call then tells.
   *
   * @throws CacheError with `strict`, and for mistakes of set-up
   */
  read<T>(call: StoreCall, work: (store: Store) => MaybePromise<T>): MaybePromise<T | undefined> {
    if (!this.#isOpen(call)) return undefined;
    let result: MaybePromise<T>;
    try {
      result = work(this.store);
    } catch (error) {
      return this.#failed(call, error);
    }
    if (!isPromise(result)) return result;
    const started = this.#now();
    call.readsUntil ??= started + this.#budget();
    return this.#limited(result, call.readsUntil - started).then(
      (value) => this.#answered(value),
      (error) => this.#failed(call, error),
    );
  }

  /**
   * Writes for a request; true where the store has acknowledged it. A slow write goes on in the background.
   *
   * @throws CacheError with `strict`, and for mistakes of set-up
   */
  write(call: StoreCall, work: (store: Store) => MaybePromise<unknown>): MaybePromise<boolean> {
    if (!this.#isOpen(call)) return false;
    let result: MaybePromise<unknown>;
    try {
      result = work(this.store);
    } catch (error) {
      this.#failed(call, error);
      return false;
    }
    if (!isPromise(result)) return true;
    this.track(result);
    return this.#limited(result, this.#budget()).then(
      () => this.#answered(true),
      (error) => {
        this.#failed(call, error);
        return false;
      },
    );
  }

  /**
   * Does what management asks for, with its own time of 30 seconds.
   *
   * @throws CacheError where the store fails
   */
  async manage<T>(work: (store: Store) => MaybePromise<T>): Promise<T> {
    this.#refuseClosed();
    try {
      const value = await this.#limited(Promise.resolve(work(this.store)), MANAGE_TIMEOUT * 1000);
      return this.#answered(value);
    } catch (error) {
      throw this.#asCacheError(error);
    }
  }

  /** A listing, of which each step has the 30 seconds. */
  async *iterate<T>(work: (store: Store) => AsyncIterable<T>): AsyncGenerator<T> {
    this.#refuseClosed();
    const iterator = work(this.store)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const step = await this.#limited(iterator.next(), MANAGE_TIMEOUT * 1000).catch((error: unknown) => {
          throw this.#asCacheError(error);
        });
        if (step.done) return;
        yield step.value;
      }
    } finally {
      await iterator.return?.();
    }
  }

  /** Resolves when the store answers; rejects with why it does not. */
  ready(): Promise<void> {
    return this.manage((store) => store.ready());
  }

  /** Has `close()` wait for something that goes on in the background. */
  track(work: Promise<unknown>): void {
    const settled: Promise<unknown> = work.then(
      () => this.#background.delete(settled),
      () => this.#background.delete(settled),
    );
    this.#background.add(settled);
  }

  /** Resolves when the work has settled, or a request's time for the store is up. */
  async within(work: Promise<unknown>): Promise<void> {
    await this.#limited(work, this.#timeout || Number.POSITIVE_INFINITY).catch(() => {});
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await this.within(Promise.all(this.#background));
    this.#closed = true;
    clearTimeout(this.#probe);
    await this.#limited(this.store.close(), CONNECT_TIMEOUT * 1000).catch(() => {});
  }

  #budget(): number {
    const budget = this.#timeout === 0 ? Number.POSITIVE_INFINITY : this.#timeout;
    // The first use may have to connect.
    return this.#connected ? budget : Math.max(budget, CONNECT_TIMEOUT * 1000);
  }

  #isOpen(call: StoreCall): boolean {
    if (this.#closed) {
      if (this.#strict) this.#refuseClosed();
      call.failure = 'store-error';
      return false;
    }
    if (!this.#outage) return true;
    call.failure = 'store-down';
    if (this.#strict)
      throw new CacheError('ERR_CACHE_STORE_DOWN', `the store ${this.store.name} is out`, {
        cause: this.#outage.cause,
      });
    return false;
  }

  #refuseClosed(): void {
    if (this.#closed) throw new CacheError('ERR_CACHE_CLOSED', 'the cache was closed');
  }

  #answered<T>(value: T): T {
    this.#connected = true;
    return value;
  }

  #failed(call: StoreCall, error: unknown): undefined {
    if (error instanceof CacheError && ALWAYS_TOLD.has(error.code)) throw error;
    // What a store can't do is no failure: the request goes on without it.
    if (error instanceof UnsupportedOperationError) return undefined;
    const late = error instanceof CacheError && error.code === 'ERR_CACHE_STORE_TIMEOUT';
    call.failure = late ? 'store-timeout' : 'store-error';
    const refused = !late && REFUSAL.test(String((error as Error | null)?.message));
    if (refused) call.tell({ type: 'error', reason: call.failure, error });
    else this.#beginOutage(error, call.failure);
    if (this.#strict) throw this.#asCacheError(error);
    return undefined;
  }

  #beginOutage(cause: unknown, reason: StoreFailure): void {
    if (this.#outage || this.#closed) return;
    this.#outage = { since: this.#now(), cause };
    this.#tell({ type: 'error', reason, error: cause });
    this.#probeAfter(FIRST_PROBE);
  }

  #probeAfter(seconds: number): void {
    this.#probe = setTimeout(async () => {
      let probing = this.#ask();
      try {
        await this.#limited(probing, CONNECT_TIMEOUT * 1000);
        // Once more, now that it is connected: what is too slow for requests is still out.
        probing = this.#ask();
        await this.#limited(probing, this.#timeout || Number.POSITIVE_INFINITY);
        this.#endOutage();
      } catch {
        // Not before this one has ended, which may keep the process alive meanwhile: one after the other would for ever.
        await Promise.race([probing, pause(MANAGE_TIMEOUT * 1000, undefined, { ref: false })]).catch(() => {});
        if (!this.#closed) this.#probeAfter(Math.min(seconds * 2, LAST_PROBE));
      }
    }, seconds * 1000);
    this.#probe.unref();
  }

  /** A rejection also where the store throws at once. */
  async #ask(): Promise<void> {
    await this.store.ready();
  }

  #endOutage(): void {
    if (!this.#outage || this.#closed) return;
    const duration = (this.#now() - this.#outage.since) / 1000;
    this.#outage = undefined;
    this.#tell({ type: 'recovered', duration });
  }

  #asCacheError(error: unknown): CacheError {
    if (error instanceof CacheError) return error;
    return new CacheError(
      'ERR_CACHE_STORE',
      `the store ${this.store.name} failed: ${String((error as Error | null)?.message)}`,
      { cause: error },
    );
  }

  #limited<T>(work: Promise<T>, milliseconds: number): Promise<T> {
    const message = `the store ${this.store.name} did not answer in time`;
    return within(work, milliseconds, () => new CacheError('ERR_CACHE_STORE_TIMEOUT', message));
  }
}

import { CacheError, UnsupportedOperationError } from '../errors.js';
import type { BreakerState, CacheEvent } from '../models/events.js';
import { isPromise, type MaybePromise } from '../platform/maybe-promise.js';
import { ownCopy } from '../platform/own-copy.js';
import { monotonicNow } from '../platform/real-time.js';
import type { FailureReason } from '../policy/reasons.js';
import { Circuit, CONNECT_TIMEOUT, inTime, MANAGEMENT_TIMEOUT } from './circuit.js';
import type { Store } from './store.js';
import { failureKind } from './store-failure.js';
import { measured, type StoreTime } from './store-time.js';
import { WriteSuspension } from './write-suspension.js';

/** Why a request could not use the store, in the words of Cache-Status' detail. */
type StoreFailureReason = FailureReason | 'too-large-for-store';

/** One request's use of the store: one budget for all its reads, one for its write. */
export interface RequestAccess {
  failure: StoreFailureReason | undefined;
  /** Receives the events of this request. */
  readonly emit: (event: CacheEvent) => void;
  /** Milliseconds of the reads' budget that are left. Set by the first read that has to wait. */
  readsLeft: number | undefined;
  /** Milliseconds that the request waited for the store; undefined if they are not measured. */
  readonly waited: StoreTime | undefined;
}

/** Management: 30 seconds for each step, and failures reject. */
export const MANAGEMENT = 'management';

/** The user of the store, which determines the budget and the effect of a failure. */
export type StoreAccess = RequestAccess | typeof MANAGEMENT;

export interface CircuitBreakerOptions {
  /** Seconds that a request waits for the store; 0 for no limit. Default: 1. */
  readonly backendTimeout?: number | undefined;
  /** Rejects requests if the store fails, instead of continuing without it. Default: `false`. */
  readonly strict?: boolean | undefined;
}

/** Seconds. */
const DEFAULT_TIMEOUT = 1;

/** Errors of set-up, not of the store: they reject the request in any mode. */
const ALWAYS_REJECTS: ReadonlySet<string> = new Set([
  'ERR_CACHE_BROKEN_PACKAGE',
  'ERR_CACHE_MISSING_PACKAGE',
  'ERR_CACHE_CLOSED',
]);

/**
 * Limits what a failing or slow store costs. A request never fails because of it: a read is a miss, a write is dropped or
 * continues in the background. While the circuit is open, requests do not use the store.
 */
export class CircuitBreaker {
  readonly store: Store;
  /** Milliseconds that a request waits; `Infinity` for no limit. */
  readonly timeout: number;
  readonly #strict: boolean;
  readonly #circuit: Circuit;
  readonly #writes: WriteSuspension;
  readonly #background = new Set<Promise<unknown>>();
  #closed = false;

  /** @param onEvent receives `error` at the beginning of an outage and `recovered` at its end */
  constructor(store: Store, options: CircuitBreakerOptions, onEvent: (event: CacheEvent) => void) {
    this.store = store;
    const { backendTimeout = DEFAULT_TIMEOUT, strict = false } = ownCopy(options);
    this.timeout = backendTimeout * 1000 || Number.POSITIVE_INFINITY;
    this.#strict = strict;
    this.#circuit = new Circuit(store, this.timeout, onEvent);
    this.#writes = new WriteSuspension(this.#circuit, onEvent);
    store.onReplaced?.((error) => onEvent({ type: 'error', reason: 'store-replaced', error, store: store.name }));
  }

  get state(): BreakerState {
    return this.#circuit.state;
  }

  /** Starts a request's use of the store. @param isMeasured whether the time that it waits is measured */
  request(emit: (event: CacheEvent) => void, isMeasured = false): RequestAccess {
    const waited = isMeasured ? { reads: 0, writes: 0 } : undefined;
    return { failure: undefined, emit, readsLeft: undefined, waited };
  }

  /**
   * Reads: synchronously if the store does. For a request `undefined` if the store failed, with the reason in
   * `access.failure`.
   *
   * @throws CacheError with `strict`, for management, and for errors of set-up
   */
  read<T>(access: StoreAccess, work: (store: Store) => MaybePromise<T>): MaybePromise<T | undefined> {
    if (access === MANAGEMENT) return this.manage(work);
    if (!this.#allows(access)) return undefined;
    return access.waited ? measured(access.waited, 'reads', () => this.#read(access, work)) : this.#read(access, work);
  }

  /**
   * Writes within a budget of its own; after that the write continues in the background, and writes of requests are
   * suspended.
   *
   * @returns the store's answer; `undefined` for a request if it failed, is not done in time or is not begun
   * @throws CacheError with `strict`, for management, and for errors of set-up
   */
  write<T>(access: StoreAccess, work: (store: Store) => MaybePromise<T>): MaybePromise<T | undefined> {
    if (access === MANAGEMENT) return this.manage(work);
    if (!this.#allows(access) || !this.#allowsWrite(access)) return undefined;
    return access.waited
      ? measured(access.waited, 'writes', () => this.#write(access, work))
      : this.#write(access, work);
  }

  /**
   * Runs one step of management. If it succeeds, an outage is over.
   *
   * @throws CacheError if the store fails or does not answer within 30 seconds
   */
  async manage<T>(work: (store: Store) => MaybePromise<T>): Promise<T> {
    this.refuseClosed();
    try {
      const value = await this.#limited(Promise.resolve(this.#start(work)), MANAGEMENT_TIMEOUT);
      this.#circuit.close();
      return value;
    } catch (error) {
      throw this.#asCacheError(error);
    }
  }

  /** Iterates for management: each step is one of {@link CircuitBreaker.manage}, and none begins after `close()`. */
  async *iterate<T>(work: (store: Store) => AsyncIterable<T>): AsyncGenerator<T> {
    this.refuseClosed();
    const iterator = work(this.store)[Symbol.asyncIterator]();
    let isWaiting = false;
    try {
      for (;;) {
        isWaiting = true;
        const step = await this.manage(() => iterator.next());
        isWaiting = false;
        if (step.done) return;
        yield step.value;
      }
    } finally {
      // After a step that was not done in time, the end of a generator would wait for that step.
      const ended = this.#closed ? undefined : iterator.return?.();
      if (isWaiting) ended?.then(undefined, () => {});
      else if (ended) await this.withinBudget(ended);
    }
  }

  /** Resolves when the store answers; rejects with the reason if it does not. */
  ready(): Promise<void> {
    return this.manage((store) => store.ready());
  }

  /** Makes `close()` wait for work in the background. */
  track(work: Promise<unknown>): void {
    const settled: Promise<unknown> = work.then(
      () => this.#background.delete(settled),
      () => this.#background.delete(settled),
    );
    this.#background.add(settled);
  }

  /** Calls `listener` at the end of each outage, and when writes are possible again. */
  onRecovery(listener: () => void): void {
    this.#circuit.onRecovery(listener);
  }

  /** Resolves when the work has settled, or after the budget of a request, at the latest after 30 seconds. */
  async withinBudget(work: Promise<unknown>): Promise<void> {
    await this.#limited(work, Math.min(this.timeout, MANAGEMENT_TIMEOUT)).catch(() => {});
  }

  /** Waits for work in the background within a request's budget, and releases the store. */
  async close(): Promise<void> {
    if (this.#closed) return;
    await this.withinBudget(Promise.all(this.#background));
    this.#closed = true;
    this.#circuit.stop();
    this.#writes.clear();
    await this.#limited(this.#start((store) => store.close()) as Promise<void>, CONNECT_TIMEOUT).catch(() => {});
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** @throws CacheError `ERR_CACHE_CLOSED` */
  refuseClosed(): void {
    if (this.#closed) throw new CacheError('ERR_CACHE_CLOSED', 'the cache was closed');
  }

  /** Milliseconds. With `strict`, a request waits for the first connection. */
  #budget(): number {
    return this.#strict && !this.#circuit.hasAnswered ? Math.max(this.timeout, CONNECT_TIMEOUT) : this.timeout;
  }

  #read<T>(access: RequestAccess, work: (store: Store) => MaybePromise<T>): MaybePromise<T | undefined> {
    const result = this.#start(work);
    if (!isPromise(result)) return result;
    // Only the time in which the request waits for the store counts, not that in which it waits for the origin.
    const began = monotonicNow();
    const left = access.readsLeft ?? this.#budget();
    return this.#settle(access, this.#limited(result, left), {
      ended: () => {
        access.readsLeft = left - (monotonicNow() - began);
      },
    });
  }

  #write<T>(access: RequestAccess, work: (store: Store) => MaybePromise<T>): MaybePromise<T | undefined> {
    const result = this.#start(work);
    if (!isPromise(result)) {
      if (this.#writes.present) this.#writes.resume();
      return result;
    }
    this.track(result);
    return this.#settle(access, this.#limited(result, this.#budget()), { write: result });
  }

  /**
   * @param write the store's own call if it writes
   * @param ended called when the request does not wait any more
   */
  #settle<T>(
    access: RequestAccess,
    limited: Promise<T>,
    { write, ended }: { readonly write?: Promise<T>; readonly ended?: () => void },
  ): Promise<T | undefined> {
    return limited.then(
      (value) => {
        ended?.();
        this.#circuit.hasAnswered = true;
        if (write && this.#writes.present) this.#writes.resume();
        return value;
      },
      (error: unknown) => {
        ended?.();
        return this.#failed(access, error, write);
      },
    );
  }

  #start<T>(work: (store: Store) => MaybePromise<T>): MaybePromise<T> {
    try {
      return work(this.store);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #allows(access: RequestAccess): boolean {
    if (this.#closed) {
      if (this.#strict) this.refuseClosed();
      access.failure = 'store-error';
      return false;
    }
    const { outage } = this.#circuit;
    if (!outage) return true;
    access.failure = 'store-down';
    if (!this.#strict) return false;
    throw new CacheError('ERR_CACHE_STORE_DOWN', `the store ${this.store.name} is down`, { cause: outage.cause });
  }

  #allowsWrite(access: RequestAccess): boolean {
    if (!this.#writes.present || this.#writes.allows()) return true;
    access.failure = 'writes-suspended';
    if (!this.#strict) return false;
    throw new CacheError('ERR_CACHE_STORE_DOWN', `the store ${this.store.name} does not finish writes in time`);
  }

  /**
   * Classifies a failure of a request's call; only an outage opens the circuit.
   *
   * @param write the store's own call if it writes: that a write is late does not mean that reads are
   */
  #failed(access: RequestAccess, error: unknown, write?: Promise<unknown>): undefined {
    const late = isLate(error);
    if (write && !late) this.#writes.resume();
    if (error instanceof CacheError && ALWAYS_REJECTS.has(error.code)) throw error;
    // A store that lacks an operation has not failed: the request continues without it.
    if (error instanceof UnsupportedOperationError) return undefined;
    access.failure = late ? 'store-timeout' : 'store-error';
    if (failureKind(error) !== 'outage') access.emit({ type: 'error', reason: access.failure, error });
    else if (late && !this.#circuit.hasAnswered) this.#circuit.connect();
    else if (late && write) this.#writes.suspend(error, write);
    else {
      this.#writes.clear();
      this.#circuit.open(error, access.failure);
    }
    if (this.#strict) throw this.#asCacheError(error);
    return undefined;
  }

  #asCacheError(error: unknown): CacheError {
    if (error instanceof CacheError) return error;
    const message = `the store ${this.store.name} failed: ${String((error as Error | null)?.message)}`;
    return new CacheError('ERR_CACHE_STORE', message, { cause: error });
  }

  #limited<T>(work: Promise<T>, milliseconds: number): Promise<T> {
    return inTime(this.store, work, milliseconds);
  }
}

function isLate(error: unknown): boolean {
  return error instanceof CacheError && error.code === 'ERR_CACHE_STORE_TIMEOUT';
}

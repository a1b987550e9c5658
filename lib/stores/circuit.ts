import { CacheError } from '../errors.js';
import type { BreakerState, CacheEvent } from '../models/events.js';
import { monotonicNow, pause, type RealTimer, startTimer, stopTimer, withinTime } from '../platform/real-time.js';
import type { FailureReason } from '../policy/reasons.js';
import type { Store } from './store.js';

/** Milliseconds. */
export const CONNECT_TIMEOUT = 5_000;
export const MANAGEMENT_TIMEOUT = 30_000;
/** Milliseconds between probes while the circuit is open: at first, and at most. */
export const FIRST_PROBE = 250;
export const LAST_PROBE = 5_000;

interface Outage {
  /** Milliseconds by the monotonic clock. */
  readonly since: number;
  readonly cause: unknown;
}

/**
 * Whether a store can be used. The circuit is closed while the store works, open during an outage, and half-open while a
 * probe asks the store whether it answers again.
 */
export class Circuit {
  /** The present outage: the circuit is not closed. */
  outage: Outage | undefined;
  /** Whether the store has ever answered. */
  hasAnswered = false;
  readonly #store: Store;
  /** Milliseconds that a request waits. */
  readonly timeout: number;
  readonly #onEvent: (event: CacheEvent) => void;
  readonly #onRecovery = new Set<() => void>();
  #connecting: Promise<void> | undefined;
  #probe: RealTimer | undefined;
  #isProbing = false;
  #isStopped = false;

  /**
   * @param timeout milliseconds that a request waits for the store
   * @param onEvent receives `error` at the beginning of an outage and `recovered` at its end
   */
  constructor(store: Store, timeout: number, onEvent: (event: CacheEvent) => void) {
    this.#store = store;
    this.timeout = timeout;
    this.#onEvent = onEvent;
  }

  get state(): BreakerState {
    if (!this.outage) return 'closed';
    return this.#isProbing ? 'half-open' : 'open';
  }

  get storeName(): string {
    return this.#store.name;
  }

  /** Calls `listener` at the end of each outage, and when writes are possible again. */
  onRecovery(listener: () => void): void {
    this.#onRecovery.add(listener);
  }

  callListeners(): void {
    for (const listener of this.#onRecovery) listener();
  }

  /** A store that has never answered may still be connecting: it has 5 seconds before that counts as an outage. */
  connect(): void {
    if (this.#connecting) return;
    this.#connecting = inTime(this.#store, this.#ask(), CONNECT_TIMEOUT)
      .then(() => {
        this.hasAnswered = true;
      })
      .catch((error: unknown) => this.open(error, 'store-timeout'))
      .finally(() => {
        this.#connecting = undefined;
      });
  }

  /** An outage begins. */
  open(cause: unknown, reason: FailureReason): void {
    if (this.outage || this.#isStopped) return;
    this.outage = { since: monotonicNow(), cause };
    this.#isProbing = false;
    this.#onEvent({ type: 'error', reason, error: cause, store: this.#store.name, breaker: 'open' });
    this.#probeAfter(FIRST_PROBE);
  }

  /** The store has answered: an outage is over. */
  close(): void {
    this.hasAnswered = true;
    if (!this.outage || this.#isStopped) return;
    const duration = (monotonicNow() - this.outage.since) / 1000;
    this.outage = undefined;
    this.#isProbing = false;
    stopTimer(this.#probe);
    this.#onEvent({ type: 'recovered', duration, store: this.#store.name, breaker: 'closed' });
    this.callListeners();
  }

  /** Resolves to whether the store answers a read within the time of a request. */
  answers(): Promise<boolean> {
    return inTime(this.#store, this.#ask(), this.timeout).then(
      () => true,
      () => false,
    );
  }

  /** Ends the probes; the state remains. */
  stop(): void {
    this.#isStopped = true;
    stopTimer(this.#probe);
  }

  #probeAfter(milliseconds: number): void {
    this.#probe = startTimer(milliseconds, () => void this.#halfOpen(milliseconds));
  }

  /** Asks the store twice: once with the time to connect, and once with the budget of a request. */
  async #halfOpen(waited: number): Promise<void> {
    this.#isProbing = true;
    let probing = this.#ask();
    try {
      await inTime(this.#store, probing, CONNECT_TIMEOUT);
      probing = this.#ask();
      await inTime(this.#store, probing, this.timeout);
      this.close();
    } catch {
      this.#isProbing = false;
      // The next probe waits for the end of this one: a chain of probes would keep the process alive.
      await Promise.race([probing, pause(MANAGEMENT_TIMEOUT)]).catch(() => {});
      if (this.outage && !this.#isStopped) this.#probeAfter(Math.min(waited * 2, LAST_PROBE));
    }
  }

  /** Rejects also if the store throws synchronously. */
  async #ask(): Promise<void> {
    await this.#store.ready();
  }
}

/** Settles as the work of a store does, or rejects after a time (`ERR_CACHE_STORE_TIMEOUT`). */
export function inTime<T>(store: Store, work: Promise<T>, milliseconds: number): Promise<T> {
  const message = `the store ${store.name} did not answer in time`;
  return withinTime(work, milliseconds, () => new CacheError('ERR_CACHE_STORE_TIMEOUT', message));
}

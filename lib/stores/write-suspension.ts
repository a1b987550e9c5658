import type { CacheEvent } from '../models/events.js';
import { monotonicNow, startTimer } from '../platform/real-time.js';
import { type Circuit, FIRST_PROBE, LAST_PROBE, MANAGEMENT_TIMEOUT } from './circuit.js';

/** The longest pause, in budgets: at most one sixth of the time, a request waits for a late write. */
const BUDGETS = 5;

interface Suspension {
  /** Milliseconds by the monotonic clock. */
  readonly since: number;
  /** The time from which one write may be tried; Infinity while it is running. */
  dueAt: number;
  isReported: boolean;
  /** The late write was done: the next write is still tried alone, but is expected to be in time. */
  isOver: boolean;
}

/**
 * Whether requests may write. A write that is not done in time suspends the writes of requests, so that only few of them
 * wait for their budget; reads continue. After a pause that grows, and not before the late write has settled, the write of
 * one request is tried. A write that settles in time ends the suspension.
 */
export class WriteSuspension {
  /** Undefined unless writes are suspended. */
  present: Suspension | undefined;
  readonly #circuit: Circuit;
  readonly #onEvent: (event: CacheEvent) => void;
  /** Milliseconds until the next attempt. */
  #pause = FIRST_PROBE;

  /** @param onEvent receives `error` when writes are suspended, and `recovered` when the store writes again */
  constructor(circuit: Circuit, onEvent: (event: CacheEvent) => void) {
    this.#circuit = circuit;
    this.#onEvent = onEvent;
  }

  /** Returns whether a request may write now. */
  allows(): boolean {
    const suspension = this.present;
    if (!suspension) return true;
    if (monotonicNow() < suspension.dueAt) return false;
    suspension.dueAt = Number.POSITIVE_INFINITY;
    return true;
  }

  /**
   * Suspends writes after a late one. If the store does not answer a read either, an outage begins instead.
   *
   * @param write the late write, which continues in the background
   */
  suspend(cause: unknown, write: Promise<unknown>): void {
    const previous = this.present;
    // Writes that began before the suspension are late as well.
    if (this.#circuit.outage || (previous && previous.dueAt !== Number.POSITIVE_INFINITY)) return;
    const now = monotonicNow();
    const begun = previous?.isOver === false ? previous : { since: now, isReported: false };
    const suspension = { ...begun, dueAt: now + MANAGEMENT_TIMEOUT, isOver: false };
    this.present = suspension;
    const earliest = now + this.#pause;
    this.#pause = Math.max(this.#pause, Math.min(this.#pause * 2, BUDGETS * this.#circuit.timeout, LAST_PROBE));
    const settled = () => {
      if (suspension.dueAt !== Number.POSITIVE_INFINITY) suspension.dueAt = earliest;
    };
    const done = () => {
      settled();
      startTimer(earliest - monotonicNow(), () => this.#endWithoutWrite(suspension));
    };
    write.then(done, settled);
    void this.#circuit.answers().then((answers) => {
      if (answers) return this.#report(suspension, cause);
      this.clear();
      this.#circuit.open(cause, 'store-timeout');
    });
  }

  /** A write has settled in time: writes are not suspended any more. */
  resume(): void {
    const suspension = this.present;
    if (!suspension) return;
    this.#forget();
    if (!suspension.isOver) this.#end(suspension);
  }

  /** An outage begins in place of the suspension, or the store is closed. */
  clear(): void {
    const suspension = this.present;
    this.#forget();
    if (suspension && !suspension.isOver) this.#reportEnd(suspension);
  }

  #forget(): void {
    this.present = undefined;
    this.#pause = FIRST_PROBE;
  }

  #report(suspension: Suspension, error: unknown): void {
    if (this.present !== suspension || suspension.isOver || suspension.isReported) return;
    suspension.isReported = true;
    this.#onEvent({ type: 'error', reason: 'writes-suspended', error, store: this.#circuit.storeName });
  }

  /** The late write was done, and a pause is over, but no request has written meanwhile. */
  #endWithoutWrite(suspension: Suspension): void {
    if (this.present !== suspension || suspension.dueAt === Number.POSITIVE_INFINITY) return;
    suspension.isOver = true;
    this.#end(suspension);
  }

  #end(suspension: Suspension): void {
    this.#reportEnd(suspension);
    this.#circuit.callListeners();
  }

  #reportEnd({ isReported, since }: Suspension): void {
    if (!isReported) return;
    const duration = (monotonicNow() - since) / 1000;
    this.#onEvent({ type: 'recovered', reason: 'writes-suspended', duration, store: this.#circuit.storeName });
  }
}

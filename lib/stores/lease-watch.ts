import { monotonicNow } from '../platform/real-time.js';

/** Leases that are remembered; of more, the one seen first is forgotten, and its time begins anew. */
const MAX_LEASES = 1_000;

interface SeenLease {
  readonly token: string;
  /** Milliseconds by this process's monotonic clock. */
  readonly until: number;
}

/**
 * Measures how long this process has seen leases unchanged, so that no other process's clock counts. A lease is over when
 * it was seen with the same token for its whole time.
 */
export class LeaseWatch {
  readonly #seen = new Map<string, SeenLease>();

  /**
   * Notes a lease as it is stored now.
   *
   * @param token changes with each acquisition and renewal
   * @param seconds of the lease; a value that is no number has passed
   */
  saw(name: string, token: string, seconds: number): void {
    if (this.#seen.get(name)?.token === token) return;
    this.#seen.delete(name);
    this.#seen.set(name, { token, until: monotonicNow() + seconds * 1000 });
    const [first] = this.#seen.keys();
    if (this.#seen.size > MAX_LEASES && first !== undefined) this.#seen.delete(first);
  }

  /** Returns the token of a lease that is over unless it has another one by now; undefined if it is not. */
  expiredToken(name: string): string | undefined {
    const seen = this.#seen.get(name);
    return seen && !(monotonicNow() < seen.until) ? seen.token : undefined;
  }

  forget(name: string): void {
    this.#seen.delete(name);
  }
}

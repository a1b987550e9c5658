import { monotonicNow } from '../../platform/real-time.js';

/** Leases that are remembered; of more, the one seen first is forgotten, and its time begins anew. */
const MAX_LEASES = 1_000;

/** Measures how long this process has seen leases unchanged, so that no other process's clock counts. */
export class LeaseWatch {
  readonly #seen = new Map<string, { readonly token: string; readonly since: number }>();

  /**
   * Returns whether a lease was seen unchanged for its whole time.
   *
   * @param token changes with each acquisition and renewal
   * @param seconds of the lease; a value that is no number has passed
   */
  isExpired(name: string, token: string, seconds: number): boolean {
    const now = monotonicNow();
    const seen = this.#seen.get(name);
    if (seen?.token === token) return !(now - seen.since < seconds * 1000);
    this.#seen.delete(name);
    this.#seen.set(name, { token, since: now });
    const [first] = this.#seen.keys();
    if (this.#seen.size > MAX_LEASES && first !== undefined) this.#seen.delete(first);
    return false;
  }

  forget(name: string): void {
    this.#seen.delete(name);
  }
}

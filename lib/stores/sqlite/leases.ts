import { chain, type MaybePromise } from '../../platform/maybe-promise.js';
import { monotonicNow } from '../../platform/real-time.js';
import { type SqliteConnection, statement } from './driver.js';
import { LEASES } from './schema.js';

interface Observation {
  readonly stamp: string;
  /** Milliseconds by this process's monotonic clock. */
  readonly until: number;
}

/** Observations that are kept before those that are over are dropped. */
const OBSERVED = 1000;

const ACQUIRE = `INSERT INTO ${LEASES} (name, holder, seconds, stamp) VALUES (?, ?, ?, hex(randomblob(8)))
  ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, seconds = excluded.seconds, stamp = excluded.stamp
  WHERE ${LEASES}.holder = excluded.holder OR ${LEASES}.stamp = ? RETURNING stamp`;

/**
 * Leases in a table. No clock is compared with that of another process: each acquisition and renewal has a new stamp, and
 * a lease is over when this process has seen the same stamp for as long as the lease lasts.
 */
export class Leases {
  readonly #observed = new Map<string, Observation>();

  acquire(connection: SqliteConnection, name: string, holder: string, seconds: number): MaybePromise<boolean> {
    const observed = this.#observed.get(name);
    const over = observed && observed.until <= monotonicNow() ? observed.stamp : '';
    const acquired = connection.transaction(function* () {
      const [own] = yield statement(ACQUIRE, name, holder, seconds, over);
      if (own) return { isOwn: true, stamp: String(own.stamp), seconds };
      const [other] = yield statement(`SELECT stamp, seconds FROM ${LEASES} WHERE name = ?`, name);
      return { isOwn: false, stamp: String(other?.stamp), seconds: Number(other?.seconds) };
    });
    return chain(acquired, (lease) => {
      this.#observe(name, lease.stamp, lease.seconds);
      return lease.isOwn;
    });
  }

  release(connection: SqliteConnection, name: string, holder: string): MaybePromise<unknown> {
    return connection.run(`DELETE FROM ${LEASES} WHERE name = ? AND holder = ?`, name, holder);
  }

  #observe(name: string, stamp: string, seconds: number): void {
    if (this.#observed.get(name)?.stamp === stamp) return;
    const now = monotonicNow();
    if (this.#observed.size >= OBSERVED) {
      for (const [other, { until }] of this.#observed) if (until <= now) this.#observed.delete(other);
    }
    this.#observed.set(name, { stamp, until: now + seconds * 1000 });
  }
}

import { chain, type MaybePromise } from '../../platform/maybe-promise.js';
import { LeaseWatch } from '../lease-watch.js';
import { type SqliteConnection, statement } from './driver.js';
import { LEASES } from './schema.js';

const ACQUIRE = `INSERT INTO ${LEASES} (name, holder, seconds, stamp) VALUES (?, ?, ?, hex(randomblob(8)))
  ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, seconds = excluded.seconds, stamp = excluded.stamp
  WHERE ${LEASES}.holder = excluded.holder OR ${LEASES}.stamp = ? RETURNING stamp`;

/**
 * Leases in a table. No clock is compared with that of another process: each acquisition and renewal has a new stamp, and
 * a lease is over when this process has seen the same stamp for as long as the lease lasts.
 */
export class Leases {
  readonly #watch = new LeaseWatch();

  acquire(connection: SqliteConnection, name: string, holder: string, seconds: number): MaybePromise<boolean> {
    const expired = this.#watch.expiredToken(name) ?? '';
    const acquired = connection.transaction(function* () {
      const [own] = yield statement(ACQUIRE, name, holder, seconds, expired);
      if (own) return { isOwn: true, stamp: String(own.stamp), seconds };
      const [other] = yield statement(`SELECT stamp, seconds FROM ${LEASES} WHERE name = ?`, name);
      return { isOwn: false, stamp: String(other?.stamp), seconds: Number(other?.seconds) };
    });
    return chain(acquired, (lease) => {
      this.#watch.saw(name, lease.stamp, lease.seconds);
      return lease.isOwn;
    });
  }

  release(connection: SqliteConnection, name: string, holder: string): MaybePromise<unknown> {
    return connection.run(`DELETE FROM ${LEASES} WHERE name = ? AND holder = ?`, name, holder);
  }
}

import { type Statement, statement, type Work } from './driver.js';
import { COUNTER, EVERYTHING, INVALIDATIONS } from './schema.js';

/** Milliseconds for which an invalidation is kept. */
const KEPT = 3_600_000;
/** Milliseconds between two removals of old invalidations. */
const PRUNE_INTERVAL = 60_000;

export const CURRENT_ORDER = `SELECT stamp FROM ${INVALIDATIONS} WHERE digest = '${COUNTER}'`;

const IS_OLD = `at < ? AND digest NOT IN ('${EVERYTHING}', '${COUNTER}')`;

/** Records invalidations, each with a stamp from a counter in the database. */
export class Invalidations {
  readonly #now: () => number;
  #prunedAt: number | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @param digests none: everything */
  record(digests: readonly string[]): Work<void> {
    const now = this.#now();
    const isPruneDue = this.#prunedAt === undefined || Math.abs(now - this.#prunedAt) >= PRUNE_INTERVAL;
    if (isPruneDue) this.#prunedAt = now;
    return function* () {
      const [counter] = yield statement(
        `UPDATE ${INVALIDATIONS} SET stamp = stamp + 1 WHERE digest = '${COUNTER}' RETURNING stamp`,
      );
      yield statement(
        `INSERT INTO ${INVALIDATIONS} (digest, stamp, at) SELECT value, ?, ? FROM json_each(?) WHERE 1
          ON CONFLICT (digest) DO UPDATE SET stamp = excluded.stamp, at = excluded.at`,
        Number(counter?.stamp),
        now,
        JSON.stringify(digests.length === 0 ? [EVERYTHING] : digests),
      );
      if (isPruneDue) yield* prune(now - KEPT);
    };
  }
}

/** A request that is older than a pruned invalidation is refused whatever its digests. */
function* prune(before: number): Generator<Statement, void> {
  yield statement(
    `UPDATE ${INVALIDATIONS} SET stamp = max(stamp, coalesce((SELECT max(stamp) FROM ${INVALIDATIONS} WHERE ${IS_OLD}), 0))
      WHERE digest = '${EVERYTHING}'`,
    before,
  );
  yield statement(`DELETE FROM ${INVALIDATIONS} WHERE ${IS_OLD}`, before);
}

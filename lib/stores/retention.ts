import type { Store } from './store.js';

/** Seconds between two sweeps. */
const INTERVAL = 60;

/** Removal of entries past their retention, for stores that do not expire entries by themselves: at writes, once a minute. */
export class RetentionSweep {
  readonly #retention: number;
  readonly #now: () => number;
  readonly #interval: number;
  #sweptAt = Number.NEGATIVE_INFINITY;
  #running: Promise<unknown> | undefined;

  /**
   * @param retention seconds for which entries are kept after they expired; undefined: forever
   * @param interval seconds between two sweeps
   */
  constructor(retention: number | undefined, now: () => number, interval = INTERVAL) {
    this.#retention = (retention ?? Number.POSITIVE_INFINITY) * 1000;
    this.#now = now;
    this.#interval = interval * 1000;
  }

  /** Returns the instant (milliseconds) before which entries must have expired to be removed; undefined: no sweep is due. */
  due(): number | undefined {
    if (this.#retention === Number.POSITIVE_INFINITY) return undefined;
    const now = this.#now();
    // The difference is negative after the clock was set back.
    if (Math.abs(now - this.#sweptAt) < this.#interval) return undefined;
    this.#sweptAt = now;
    return now - this.#retention;
  }

  /**
   * Starts a sweep in the background if one is due: no write has the time for it. The next sweep repeats what failed.
   *
   * @param remove removes, in steps, the entries that had expired by an instant
   */
  start(remove: (until: number) => AsyncIterable<unknown>): void {
    const until = this.due();
    if (until !== undefined) this.#running = Promise.allSettled([this.#running, takeAll(remove(until))]);
  }

  /** Resolves when no sweep is running. */
  async settled(): Promise<void> {
    await this.#running;
  }
}

/** Deletes expired entries, for stores that have to look at each entry. */
export async function* deleteExpiredOneByOne(
  store: Pick<Store, 'list' | 'delete'>,
  until: number,
): AsyncGenerator<unknown> {
  for await (const { id, kind } of store.list({ staleBy: until })) {
    if (kind !== 'unknown') yield await store.delete([id]);
  }
}

async function takeAll(steps: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of steps);
}

import type { Store } from './store.js';

/** Milliseconds between two sweeps. */
const INTERVAL = 60_000;

/**
 * Schedules the search for entries past their retention in a store without expiry of its own: at writes, at most once a
 * minute.
 */
export class RetentionSweep {
  readonly #retention: number;
  readonly #now: () => number;
  #sweptAt = 0;
  #running: Promise<unknown> | undefined;

  /** @param retention seconds for which entries are kept after expiry; undefined: forever */
  constructor(retention: number | undefined, now: () => number) {
    this.#retention = (retention ?? Number.POSITIVE_INFINITY) * 1000;
    this.#now = now;
  }

  /** Milliseconds since the epoch: entries that expired by then are to be deleted. Undefined if no search is due. */
  due(): number | undefined {
    const now = this.#now();
    if (this.#retention === Number.POSITIVE_INFINITY || now - this.#sweptAt < INTERVAL) return undefined;
    this.#sweptAt = now;
    return now - this.#retention;
  }

  /**
   * Deletes entries past their retention if a search is due: in the background, since a write has no time for it. After
   * a failure the next search deletes them.
   *
   * @param drop deletes the entries that expired by then, in steps
   */
  start(drop: (until: number) => AsyncIterable<unknown>): void {
    const until = this.due();
    if (until !== undefined) this.#running = Promise.allSettled([this.#running, taken(drop(until))]);
  }

  /** Resolves when no deletion is in progress. */
  async settled(): Promise<void> {
    await this.#running;
  }
}

/** For stores that have to look at each entry. */
export async function* deleteExpiredOneByOne(
  store: Pick<Store, 'list' | 'delete'>,
  until: number,
): AsyncGenerator<unknown> {
  for await (const { id, kind } of store.list({ staleBy: until })) {
    if (kind !== 'unknown') yield await store.delete([id]);
  }
}

async function taken(steps: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of steps);
}

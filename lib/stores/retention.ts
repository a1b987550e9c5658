import type { Store } from './store.js';

/** Milliseconds between two sweeps. */
const INTERVAL = 60_000;

/** When a store that lets nothing go by itself has to look for what is past its retention: at writes, once a minute at most. */
export class RetentionSweep {
  readonly #retention: number;
  readonly #now: () => number;
  #sweptAt = 0;
  #running: Promise<unknown> | undefined;

  /** @param retention seconds that entries are kept after they expired; undefined for ever */
  constructor(retention: number | undefined, now: () => number) {
    this.#retention = (retention ?? Number.POSITIVE_INFINITY) * 1000;
    this.#now = now;
  }

  /** Milliseconds since the epoch: what expired by then is to go. Undefined where it is not time to look. */
  due(): number | undefined {
    const now = this.#now();
    if (this.#retention === Number.POSITIVE_INFINITY || now - this.#sweptAt < INTERVAL) return undefined;
    this.#sweptAt = now;
    return now - this.#retention;
  }

  /**
   * Drops what is past its retention, where it is time to look: in the background, since no write has the time for it. What
   * fails is left to the next look.
   *
   * @param drop drops what expired by then, step by step
   */
  start(drop: (until: number) => AsyncIterable<unknown>): void {
    const until = this.due();
    if (until !== undefined) this.#running = Promise.allSettled([this.#running, taken(drop(until))]);
  }

  /** Resolves when nothing goes on. */
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

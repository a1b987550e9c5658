/** Milliseconds between two sweeps. */
const INTERVAL = 60_000;

/** When a store that lets nothing go by itself has to look for what is past its retention: at writes, once a minute at most. */
export class RetentionSweep {
  readonly #retention: number;
  readonly #now: () => number;
  #sweptAt = 0;

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
}

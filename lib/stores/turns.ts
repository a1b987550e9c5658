/** Lets the changes of one thing take turns, since each begins with a look at it. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Starts work when the previous work under this name has settled. */
  async take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const previous = this.#last.get(name);
    const current = previous ? previous.then(work) : work();
    const settled: Promise<unknown> = current
      .catch(() => {})
      .then(() => {
        if (this.#last.get(name) === settled) this.#last.delete(name);
      });
    this.#last.set(name, settled);
    return current;
  }
}

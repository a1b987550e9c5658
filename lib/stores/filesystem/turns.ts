/** Lets changes of one file take turns, since each begins with a look at the file. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Starts work when the previous work under this id has settled. */
  async take<T>(id: string, work: () => Promise<T>): Promise<T> {
    const previous = this.#last.get(id);
    const current = previous ? previous.then(work) : work();
    const settled: Promise<unknown> = current
      .catch(() => {})
      .then(() => {
        if (this.#last.get(id) === settled) this.#last.delete(id);
      });
    this.#last.set(id, settled);
    return current;
  }
}

/** An entry that is watched. */
interface Watch {
  changed: boolean;
}

/** Notices the changes of entries that are compared before a replacement. Nothing waits, since an adapter may never answer. */
export class Watches {
  readonly #watched = new Map<string, Set<Watch>>();

  /** Runs work with a function that returns whether the entry was changed since the work began. */
  async watching<T>(id: string, work: (isChanged: () => boolean) => Promise<T>): Promise<T> {
    const watch: Watch = { changed: false };
    const watches = this.#watched.get(id) ?? new Set();
    this.#watched.set(id, watches.add(watch));
    try {
      return await work(() => watch.changed);
    } finally {
      watches.delete(watch);
      if (watches.size === 0) this.#watched.delete(id);
    }
  }

  /** Notes a change of entries: call it before and after. */
  changed(ids: readonly string[]): void {
    if (this.#watched.size === 0) return;
    for (const id of ids) for (const watch of this.#watched.get(id) ?? []) watch.changed = true;
  }
}

/**
 * A secondary index in memory: from a name (a group or a digest) to the ids of its entries. Most names have one id, so a
 * name has a `Set` only if it has several: a `Set` of one costs 200 bytes.
 */
export class MemoryIndex {
  readonly #ids = new Map<string, string | Set<string>>();

  add(name: string, id: string): void {
    const ids = this.#ids.get(name);
    if (ids === undefined) this.#ids.set(name, id);
    else if (typeof ids !== 'string') ids.add(id);
    else if (ids !== id) this.#ids.set(name, new Set([ids, id]));
  }

  remove(name: string, id: string): void {
    const ids = this.#ids.get(name);
    if (ids === id) this.#ids.delete(name);
    if (ids === undefined || typeof ids === 'string') return;
    ids.delete(id);
    if (ids.size === 1) this.#ids.set(name, String([...ids][0]));
  }

  /** Returns the ids under a name: a view, which changes with the index. */
  idsOf(name: string): Iterable<string> {
    const ids = this.#ids.get(name);
    return typeof ids === 'string' ? [ids] : (ids ?? []);
  }
}

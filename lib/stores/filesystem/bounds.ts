/** A file that holds an entry. */
export interface EntryFile {
  readonly id: string;
  /** Milliseconds since the epoch: its last use. */
  readonly used: number;
  /** Bytes. */
  readonly size: number;
}

/** After eviction there is room for some writes before the next. */
const EVICTION_GOAL = 0.9;

/**
 * Keeps a folder within a number of entries and bytes, the oldest use going first. It counts on from what is known, and
 * looks at all files only when a bound seems to be reached: in the background, since no write has the time for it.
 */
export class FileBounds {
  readonly #maxEntries: number;
  readonly #maxSize: number;
  readonly #files: () => AsyncIterable<EntryFile>;
  readonly #drop: (id: string) => Promise<unknown>;
  /** What is known of the folder's extent; undefined where it has to be looked at. */
  #extent: { entries: number; bytes: number } | undefined;
  /** What came, or went, since the look began that is under way. */
  readonly #changes = new Map<string, EntryFile | undefined>();
  #looking: Promise<void> | undefined;

  constructor(
    { maxEntries, maxSize }: { readonly maxEntries?: number | undefined; readonly maxSize?: number | undefined },
    files: () => AsyncIterable<EntryFile>,
    drop: (id: string) => Promise<unknown>,
  ) {
    this.#maxEntries = maxEntries ?? Number.POSITIVE_INFINITY;
    this.#maxSize = maxSize ?? Number.POSITIVE_INFINITY;
    this.#files = files;
    this.#drop = drop;
  }

  added(file: EntryFile): void {
    this.#change(1, file.size);
    if (this.#looking) this.#changes.set(file.id, file);
    else if (!this.#isWithin(1)) this.#looking = this.#look();
  }

  removed({ id, size }: Pick<EntryFile, 'id' | 'size'>): void {
    this.#change(-1, -size);
    if (this.#looking) this.#changes.set(id, undefined);
  }

  /** Resolves when nothing goes on. */
  async settled(): Promise<void> {
    await this.#looking;
  }

  #change(entries: number, bytes: number): void {
    if (!this.#extent) return;
    this.#extent.entries += entries;
    this.#extent.bytes += bytes;
  }

  #isWithin(goal: number): boolean {
    if (!this.#extent) return false;
    return this.#extent.entries <= this.#maxEntries * goal && this.#extent.bytes <= this.#maxSize * goal;
  }

  /** Until what came meanwhile is within the bounds as well. Where it fails, the next write looks again. */
  async #look(): Promise<void> {
    try {
      do await this.#measureAndEvict();
      while (!this.#isWithin(1));
    } catch {
      this.#extent = undefined;
    }
    this.#looking = undefined;
  }

  async #measureAndEvict(): Promise<void> {
    this.#extent = undefined;
    this.#changes.clear();
    const found = new Map<string, EntryFile>();
    for await (const file of this.#files()) found.set(file.id, file);
    for (const [id, file] of this.#changes) {
      if (file) found.set(id, file);
      else found.delete(id);
    }
    const files = [...found.values()].sort((a, b) => a.used - b.used);
    this.#extent = { entries: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) };
    if (this.#isWithin(1)) return;
    for (const { id, size } of files) {
      if (this.#isWithin(EVICTION_GOAL)) return;
      await this.#drop(id);
      // Whoever dropped it: another process may do the same.
      this.#change(-1, -size);
    }
  }
}

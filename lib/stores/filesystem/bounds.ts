import type { FileListing } from './listing.js';

/** A file that contains an entry. */
export interface EntryFile {
  readonly id: string;
  /** Milliseconds since the epoch: its last use. */
  readonly used: number;
  /** Bytes. */
  readonly size: number;
}

export interface FileBoundsOptions {
  readonly maxEntries?: number | undefined;
  readonly maxSize?: number | undefined;
}

/** Deletes an entry and resolves to it, and does not call {@link FileBounds.removed}. */
type Evict = (id: string) => Promise<{ readonly size: number } | undefined>;

interface Extent {
  entries: number;
  bytes: number;
}

/** A pass over all files, with the changes that it cannot see by itself. */
interface Pass {
  readonly measured: Extent;
  readonly pending: Set<string>;
  /** Sizes of files in the current subfolder that changed since it was begun; undefined: removed. */
  readonly changes: Map<string, number | undefined>;
  current: string;
}

/** Files that one pass finds for eviction. */
const CANDIDATES = 1_000;

/**
 * Keeps a folder within a number of entries and bytes. Evicts the least recently used files, and only as many as the
 * bounds ask for, in the background, since no write has time for that.
 *
 * It continues from the known counts, and makes a pass over all files if these are unknown or nothing is left to evict.
 * The next pass includes the files of other processes.
 */
export class FileBounds {
  readonly #maxEntries: number;
  readonly #maxSize: number;
  readonly #files: FileListing;
  readonly #delete: Evict;
  #known: Extent | undefined;
  /** The least recently used files at the last pass by id, oldest first. */
  #candidates = new Map<string, EntryFile>();
  #pass: Pass | undefined;
  #working: Promise<void> | undefined;

  constructor({ maxEntries, maxSize }: FileBoundsOptions, files: FileListing, evict: Evict) {
    this.#maxEntries = maxEntries ?? Number.POSITIVE_INFINITY;
    this.#maxSize = maxSize ?? Number.POSITIVE_INFINITY;
    this.#files = files;
    this.#delete = evict;
  }

  /** Counts a file that was written. @param replaced bytes of the file that had its place */
  added(id: string, size: number, replaced: number | undefined): void {
    this.#count(id, size, { entries: replaced === undefined ? 1 : 0, bytes: size - (replaced ?? 0) });
    if (!this.#isWithin()) this.#working ??= this.#work();
  }

  /** Counts a file that was removed. */
  removed(id: string, size: number): void {
    this.#candidates.delete(id);
    this.#count(id, undefined, { entries: -1, bytes: -size });
  }

  /** Resolves when nothing is done in the background. */
  async settled(): Promise<void> {
    await this.#working;
  }

  #count(id: string, size: number | undefined, change: Extent): void {
    const pass = this.#pass;
    const subfolder = id.slice(0, 2);
    if (!pass) this.#known = this.#known && sumOf(this.#known, change);
    else if (pass.current === subfolder) pass.changes.set(id, size);
    else if (!pass.pending.has(subfolder)) Object.assign(pass.measured, sumOf(pass.measured, change));
  }

  #isWithin(): boolean {
    return this.#known !== undefined && this.#known.entries <= this.#maxEntries && this.#known.bytes <= this.#maxSize;
  }

  /** If it fails, the next write begins anew. */
  async #work(): Promise<void> {
    try {
      if (!this.#known) await this.#measure();
      while (!this.#isWithin()) {
        const [oldest] = this.#candidates.values();
        if (oldest) await this.#evict(oldest);
        else if (!(await this.#measure())) break;
      }
    } catch {
      this.#known = undefined;
      this.#candidates.clear();
    }
    this.#pass = undefined;
    this.#working = undefined;
  }

  async #evict({ id, used, size }: EntryFile): Promise<void> {
    const file = await this.#files.find(id);
    // Used or written since the pass: not among the oldest any more.
    const isRecent = file !== undefined && file.used > used;
    const deleted = file && !isRecent ? await this.#delete(id) : undefined;
    // If it is no candidate any more, a deletion at the same time has counted it.
    if (!this.#candidates.delete(id) || isRecent) return;
    // A file that is gone was evicted by another process.
    this.removed(id, (deleted ?? file)?.size ?? size);
  }

  /** Makes a pass; returns whether there is anything to evict. */
  async #measure(): Promise<boolean> {
    const pending = new Set(await this.#files.subfolders());
    const pass: Pass = { measured: { entries: 0, bytes: 0 }, pending, changes: new Map(), current: '' };
    this.#pass = pass;
    let oldest: EntryFile[] = [];
    for (const subfolder of [...pending]) {
      pass.current = subfolder;
      pending.delete(subfolder);
      const files = await this.#files.filesIn(subfolder);
      const sizes = new Map(files.map(({ id, size }) => [id, size]));
      for (const [id, size] of pass.changes) {
        if (size === undefined) sizes.delete(id);
        else sizes.set(id, size);
      }
      pass.changes.clear();
      for (const bytes of sizes.values()) Object.assign(pass.measured, sumOf(pass.measured, { entries: 1, bytes }));
      oldest = [...oldest, ...files].sort((a, b) => a.used - b.used).slice(0, CANDIDATES);
    }
    this.#pass = undefined;
    this.#known = pass.measured;
    this.#candidates = new Map(oldest.map((file) => [file.id, file]));
    return oldest.length > 0;
  }
}

function sumOf(one: Extent, other: Extent): Extent {
  return { entries: one.entries + other.entries, bytes: one.bytes + other.bytes };
}

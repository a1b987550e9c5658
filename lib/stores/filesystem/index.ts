import * as path from 'node:path';
import type { Entry, EntryKind, EntrySummary } from '../../models/entry.js';
import { chain, type MaybePromise } from '../../platform/maybe-promise.js';
import { allSettled, batches, eachFound, mapConcurrently } from '../concurrency.js';
import { counts, fits, isDirect, withMembers } from '../entry-query.js';
import { deleteExpiredOneByOne, RetentionSweep } from '../retention.js';
import type { EntryQuery, Store } from '../store.js';
import { HEAD_LENGTH } from '../stored-form.js';
import { Turns } from '../turns.js';
import { FileBounds } from './bounds.js';
import { Folders } from './folders.js';
import { EXTENSIONS, type FileExtension, FileLayout } from './layout.js';
import { FileListing } from './listing.js';
import { ReadPace } from './read-pace.js';
import { EntryReader } from './reader.js';
import { FileReplacement } from './replacement.js';
import { FileIndex } from './secondary-index.js';
import { EntryWriter, type StagedFile } from './writer.js';

export type { FileExtension } from './layout.js';

export interface FileStoreOptions {
  /**
   * Maximum number of entries; the least recently used is evicted first. Default: no bound.
   *
   * @example
   * new FileCache({ maxEntries: 10_000 });
   */
  readonly maxEntries?: number | undefined;
  /**
   * Maximum number of bytes; the least recently used entry is evicted first. Default: no bound.
   *
   * @example
   * new FileCache({ maxSize: 500_000_000 });
   */
  readonly maxSize?: number | undefined;
  /**
   * Whether a file and its name are synced to the disk before a write is acknowledged. Default: `false`.
   *
   * @example
   * new FileCache({ durable: true });
   */
  readonly durable?: boolean | undefined;
  /** Seconds that an entry is kept after it has expired. Default: forever. */
  readonly retention?: number | undefined;
}

/** Writes of one call in this order: a crash leaves a marker without a response, or a response without its redirects. */
const ORDER: readonly EntryKind[] = ['variants', 'response', 'redirect'];
/** Files that are removed in one step of a listing. */
const BATCH = 500;

/** An entry that was written to a temporary file. */
interface Staged {
  readonly entry: Entry;
  readonly file: StagedFile;
}

/**
 * Keeps each entry in a file, in subfolders of the cache's folder (see layout.ts). A file is written beside its place and
 * renamed, so that a reader finds it whole or not at all.
 *
 * Files of other extensions belong to the same cache, opened with another serializer. They are entries as well; an id has
 * one file at a time.
 */
export class FileStore implements Store {
  readonly name = 'filesystem';
  readonly maxEntrySize: number;
  readonly #layout: FileLayout;
  readonly #maxSize: number;
  readonly #extension: FileExtension;
  readonly #otherExtensions: readonly FileExtension[];
  readonly #folders: Folders;
  readonly #reader: EntryReader;
  readonly #writer: EntryWriter;
  readonly #replacement: FileReplacement;
  readonly #index: FileIndex;
  readonly #listing: FileListing;
  readonly #bounds: FileBounds | undefined;
  readonly #turns = new Turns();
  readonly #sweep: RetentionSweep;

  /**
   * @param cacheName path of the folder
   * @param extension extension of the files that are written
   */
  constructor(cacheName: string, options: FileStoreOptions, now: () => number, extension: FileExtension = '.bin') {
    const root = path.resolve(cacheName);
    const isBounded = options.maxEntries !== undefined || options.maxSize !== undefined;
    const pace = new ReadPace(root);
    this.#layout = new FileLayout(root);
    this.#maxSize = options.maxSize ?? Number.POSITIVE_INFINITY;
    this.maxEntrySize = Math.max(0, this.#maxSize - HEAD_LENGTH);
    this.#extension = extension;
    this.#otherExtensions = EXTENSIONS.filter((other) => other !== extension);
    this.#folders = new Folders(root, pace);
    this.#reader = new EntryReader(this.#folders, pace, isBounded ? now : undefined);
    this.#writer = new EntryWriter(this.#layout, this.#folders, options.durable ?? false);
    this.#replacement = new FileReplacement(this.#folders, this.#reader, this.#writer);
    this.#index = new FileIndex(this.#layout, this.#folders, this.#reader, this.#writer);
    this.#listing = new FileListing(this.#layout, this.#folders, now);
    this.#sweep = new RetentionSweep(options.retention, now);
    if (isBounded) this.#bounds = new FileBounds(options, this.#listing, (id) => this.#evict(id));
  }

  get location(): string {
    return this.#layout.root;
  }

  find(id: string): MaybePromise<Entry | undefined> {
    const file = this.#layout.entry(id, this.#extension);
    const pending = this.#replacement.pending(file);
    if (pending) return pending.then(() => this.find(id));
    return chain(this.#reader.find(id, file), (found) => found ?? this.#findElsewhere(id));
  }

  /** Looks at the own extension again at the end: its file may have replaced the other one meanwhile. */
  #findElsewhere(id: string): MaybePromise<Entry | undefined> {
    const own = this.#layout.entry(id, this.#extension);
    return chain(this.#reader.existing([...this.#files(id, this.#otherExtensions), own]), ([file]) => {
      if (file === undefined) return undefined;
      return chain(this.#reader.find(id, file), (found) => found ?? this.#reader.find(id, own));
    });
  }

  /** Writes all files before it moves the first to its place, so that a full disk changes nothing. */
  async put(entries: readonly Entry[]): Promise<boolean> {
    const staged = new Set<Staged>();
    try {
      await allSettled(entries.map((entry) => this.#stage(entry, staged)));
      await allSettled([...staged].map(({ entry }) => this.#index.add(entry)));
      const inOrder = [...staged].sort((a, b) => ORDER.indexOf(a.entry.kind) - ORDER.indexOf(b.entry.kind));
      for (const one of inOrder) await this.#turns.take(one.entry.id, () => this.#place(one, staged));
    } finally {
      await Promise.all([...staged].map(({ file }) => this.#writer.discard(file)));
    }
    this.#sweep.start((until) => deleteExpiredOneByOne(this, until));
    return true;
  }

  async replace(entry: Entry, replacement: Entry): Promise<boolean> {
    const file = this.#layout.entry(entry.id, this.#extension);
    const staged = await this.#writer.stage(replacement, file, this.#maxSize);
    try {
      if (!(await this.#replacement.replace(entry, file, staged))) return false;
    } finally {
      await this.#writer.discard(staged);
    }
    // A deletion may have removed members meanwhile.
    await this.#index.add(replacement);
    this.#bounds?.added(entry.id, staged.size, entry.size);
    return true;
  }

  async deleteGroups(ids: readonly string[]): Promise<number> {
    return this.delete(await withMembers(this, ids));
  }

  async delete(ids: readonly string[]): Promise<number> {
    const deleted = await mapConcurrently(ids, (id) => this.#delete(id));
    return deleted.filter((summary) => summary && counts(summary)).length;
  }

  async *list(query: EntryQuery = {}): AsyncGenerator<EntrySummary> {
    for await (const entry of this.#candidates(query)) if (fits(entry, query)) yield entry;
  }

  /** Removes files in place, since a full disk may have no room to rename a folder. Leaves files that are not ours. */
  async *clear(): AsyncGenerator<unknown> {
    for await (const files of this.#listing.everything()) {
      for (const batch of batches(files, BATCH)) yield await this.#folders.remove(batch);
    }
    // An entry that was written meanwhile may have lost its place in the index.
    for await (const summary of this.#all()) yield await this.#index.add(summary);
  }

  async ready(): Promise<void> {
    await this.#folders.make(this.#layout.part('responses_v1'));
  }

  async close(): Promise<void> {
    await Promise.all([this.#bounds?.settled(), this.#sweep.settled()]);
  }

  async size(): Promise<number> {
    let size = 0;
    for (const subfolder of await this.#listing.subfolders()) {
      for (const file of await this.#listing.filesIn(subfolder)) size += file.size;
    }
    return size;
  }

  #files(id: string, extensions: readonly FileExtension[] = EXTENSIONS): string[] {
    return extensions.map((extension) => this.#layout.entry(id, extension));
  }

  async #stage(entry: Entry, staged: Set<Staged>): Promise<void> {
    if (entry.kind === 'redirect' && isDirect(await this.#summary(entry.id))) return;
    const file = await this.#writer.stage(entry, this.#layout.entry(entry.id, this.#extension), this.#maxSize);
    staged.add({ entry, file });
  }

  async #place(one: Staged, staged: Set<Staged>): Promise<void> {
    const { entry, file } = one;
    const { id } = entry;
    const previous = await this.#summary(id);
    const place = this.#layout.entry(id, this.#extension);
    const isPlaced =
      entry.kind === 'redirect'
        ? await this.#writer.placeRedirect(file, place, (at) => this.#reader.summary(id, at))
        : await this.#writer.place(file, place);
    if (!isPlaced) return;
    // A redirect is a hard link: its temporary name is left.
    if (entry.kind !== 'redirect') staged.delete(one);
    // Not earlier, so that a reader always finds a file. Of two written at once by different serializers, none may remain.
    await this.#remove(id, this.#otherExtensions);
    if (previous) await this.#removeMembers(previous, entry);
    // Again, since a deletion may have removed members meanwhile.
    await this.#index.add(entry);
    this.#bounds?.added(id, file.size, previous?.size);
  }

  async #delete(id: string): Promise<EntrySummary | undefined> {
    const summary = await this.#evict(id);
    if (summary) this.#bounds?.removed(id, summary.size);
    return summary;
  }

  /** Returns the deleted entry; undefined if there was none, or if it cannot be removed. */
  #evict(id: string): Promise<EntrySummary | undefined> {
    return this.#turns.take(id, () => this.#removeEntry(id));
  }

  /**
   * Removes the file first: members without an entry have no effect, an entry without members cannot be invalidated.
   */
  async #removeEntry(id: string): Promise<EntrySummary | undefined> {
    const summary = await this.#summaryOrTaken(id);
    if (!summary || !(await this.#remove(id, EXTENSIONS))) return undefined;
    await this.#folders.remove(await this.#replacement.taken(this.#layout.entry(id, this.#extension)));
    await this.#removeMembers(summary);
    return summary;
  }

  /** Removes those of an entry's files that exist; returns whether all are gone. */
  async #remove(id: string, extensions: readonly FileExtension[]): Promise<boolean> {
    return this.#folders.remove(await this.#reader.existing(this.#files(id, extensions)));
  }

  /** Removes members of an entry; one that was written meanwhile gets its own back. */
  async #removeMembers(entry: EntrySummary, kept?: EntrySummary): Promise<void> {
    await this.#index.remove(entry, kept);
    const current = await this.#summary(entry.id);
    if (current) await this.#index.add(current);
  }

  async *#candidates({ group, index }: EntryQuery): AsyncGenerator<EntrySummary> {
    const name = group ?? index;
    if (name === undefined) yield* this.#all();
    else {
      const ids = await this.#index.idsOf(name);
      yield* eachFound(group === undefined ? ids : [group, ...ids], (id) => this.#summaryOrTaken(id));
    }
  }

  async *#all(): AsyncGenerator<EntrySummary> {
    for await (const ids of this.#listing.ids()) yield* eachFound(ids, (id) => this.#summary(id));
  }

  /** The entry of an id, also while its file is being replaced. */
  async #summaryOrTaken(id: string): Promise<EntrySummary | undefined> {
    const own = this.#layout.entry(id, this.#extension);
    await this.#replacement.pending(own);
    return (await this.#summary(id)) ?? this.#replacement.summary(id, own);
  }

  async #summary(id: string): Promise<EntrySummary | undefined> {
    const own = this.#layout.entry(id, this.#extension);
    const [file] = await this.#reader.existing([own, ...this.#files(id, this.#otherExtensions)]);
    if (file === undefined) return undefined;
    return (await this.#reader.summary(id, file)) ?? this.#reader.summary(id, own);
  }
}

import { randomBytes } from 'node:crypto';
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import * as path from 'node:path';
import type { Entry, EntrySummary } from '../models/entry.js';
import { batches, countListed, counts, fits } from './query.js';
import { RetentionSweep } from './retention.js';
import { HEAD_LENGTH, packRow, parseRow, parseSummary, summaryLength } from './row.js';
import type { EntryQuery, Store } from './store.js';

export interface FileStoreOptions {
  /** Entries at most, oldest use first. Default: no bound. */
  readonly maxEntries?: number | undefined;
  /** Bytes at most, oldest use first. Default: no bound. */
  readonly maxSize?: number | undefined;
  /** Seconds that an entry is kept after it expired. Default: for ever. */
  readonly retention?: number | undefined;
}

/** A folder in the cache's own for each version of the stored form. */
const ROWS = 'responses_v1';
/** Empty files that lead from a group, or a URL's digest, to ids: an index that needs no writing back. */
const LINKS = 'links_v1';
/** What a file holds: text of that serializer, or what a person can't read. */
const EXTENSIONS = ['.json', '.yaml', '.bin'] as const;
export type FileExtension = (typeof EXTENSIONS)[number];
/** Ends the name of a file that is being written. */
const UNFINISHED = '.tmp';
/** Ends the name of a folder that was cleared. */
const CLEARED = '.cleared';
/** Milliseconds after which whoever was writing a file is taken to be gone. */
const ABANDONED_AFTER = 600_000;
const EVICTION_GOAL = 0.9;
/** Files that are read at once where all are looked at. */
const AT_ONCE = 16;

/**
 * Entries in files, one each, in a folder with subfolders. A file is written beside its place and renamed, so that every
 * reader finds it whole or not at all.
 *
 * A file's name tells by its extension what it holds. Files of other extensions are those of the same cache, opened with
 * another serializer: entries as well, of which an id has one at a time.
 */
export class FileStore implements Store {
  readonly name = 'filesystem';
  readonly passes = true;
  readonly folder: string;
  readonly #options: FileStoreOptions;
  readonly #now: () => number;
  readonly #extension: FileExtension;
  readonly #otherExtensions: readonly FileExtension[];
  /** What is known of the folder's extent; undefined where it has to be counted. */
  #extent: { entries: number; bytes: number } | undefined;
  readonly #sweep: RetentionSweep;
  /** What was cleared is on its way out. */
  #removing: Promise<unknown> | undefined;

  /** @param extension of the files that are written */
  constructor(cacheName: string, options: FileStoreOptions, now: () => number, extension: FileExtension = '.bin') {
    this.folder = path.resolve(cacheName);
    this.#options = options;
    this.#now = now;
    this.#extension = extension;
    this.#otherExtensions = EXTENSIONS.filter((other) => other !== extension);
    this.#sweep = new RetentionSweep(options.retention, now);
  }

  async find(id: string): Promise<Entry | undefined> {
    const found = await this.#seek(id, async (file) => ({ file, row: await readFile(file) }));
    if (!found) return undefined;
    // The time of last use, which files keep by themselves in their own way on each system.
    if (this.#isBounded()) await orUndefined(utimes(found.file, this.#now() / 1000, this.#now() / 1000));
    return parseRow(id, found.row);
  }

  async put(entry: Entry): Promise<void> {
    const row = packRow(entry);
    const file = this.#fileOf(entry.id, this.#extension);
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    const temporary = `${file}.${randomBytes(6).toString('hex')}${UNFINISHED}`;
    try {
      await writeFile(temporary, row, { mode: 0o600 });
      await rename(temporary, file);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    // Only now, so that one is there at any time. Of two written at once with different extensions, neither may be left.
    await this.#remove(entry.id, this.#otherExtensions);
    for (const from of [...(entry.group === entry.id ? [] : [entry.group]), ...entry.urls])
      await this.#link(from, entry.id);
    if (this.#isBounded()) await this.#keepBounds(file, row.byteLength);
    const until = this.#sweep.due();
    if (until !== undefined) await this.purge(until);
  }

  async drop(ids: readonly string[]): Promise<number> {
    const wanted = new Set(ids);
    for (const id of ids) {
      for await (const entry of this.#linked(id)) if (entry.group === id) wanted.add(entry.id);
    }
    const dropped = await this.dropExact([...wanted]);
    for (const id of ids) await rm(this.#linksOf(id), { recursive: true, force: true });
    return dropped;
  }

  async dropExact(ids: readonly string[]): Promise<number> {
    let dropped = 0;
    for (const id of ids) {
      const summary = await this.#summary(id);
      if (!summary) continue;
      await this.#remove(id, EXTENSIONS);
      if (counts(summary)) dropped += 1;
    }
    this.#extent = undefined;
    return dropped;
  }

  async *list(query: EntryQuery = {}): AsyncGenerator<EntrySummary> {
    for await (const entry of this.#candidates(query)) if (fits(entry, query)) yield entry;
  }

  count(query: EntryQuery = {}): Promise<number> {
    return countListed(this.list(query), query);
  }

  async purge(now: number): Promise<number> {
    let purged = 0;
    for await (const entry of this.list({ expiredBy: now })) {
      if (entry.kind !== 'unknown') purged += await this.dropExact([entry.id]);
    }
    return purged;
  }

  /** Puts everything aside at once; removing so many files takes its time, which nobody has to wait for. */
  async clear(): Promise<void> {
    this.#extent = undefined;
    for (const part of [ROWS, LINKS]) {
      const aside = `${part}.${randomBytes(6).toString('hex')}${CLEARED}`;
      await orUndefined(rename(path.join(this.folder, part), path.join(this.folder, aside)));
    }
    // What was put aside before, too: whoever did it may have been killed.
    const aside = ((await orUndefined(readdir(this.folder))) ?? []).filter((name) => name.endsWith(CLEARED));
    const remove = (name: string) => rm(path.join(this.folder, name), { recursive: true, force: true });
    this.#removing = Promise.allSettled([this.#removing, ...aside.map(remove)]);
  }

  async ready(): Promise<void> {
    await mkdir(path.join(this.folder, ROWS), { recursive: true, mode: 0o700 });
  }

  async close(): Promise<void> {
    await this.#removing;
  }

  #fileOf(id: string, extension: FileExtension): string {
    return path.join(this.folder, ROWS, id.slice(0, 2), id + extension);
  }

  /** What `look` makes of an entry's file: a hit looks at one of our own extension, only a miss looks further. */
  async #seek<T>(id: string, look: (file: string) => Promise<T>): Promise<T | undefined> {
    const under = (extension: FileExtension) => orUndefined(look(this.#fileOf(id, extension)));
    const own = await under(this.#extension);
    if (own !== undefined) return own;
    const others = await Promise.all(this.#otherExtensions.map(under));
    // Our own once more: where it replaced another meanwhile, it was too early to see it and is too late for the other.
    return others.find((other) => other !== undefined) ?? under(this.#extension);
  }

  async #remove(id: string, extensions: readonly FileExtension[]): Promise<void> {
    await Promise.all(extensions.map((extension) => orUndefined(unlink(this.#fileOf(id, extension)))));
  }

  #linksOf(from: string): string {
    return path.join(this.folder, LINKS, from.slice(0, 2), from);
  }

  async #link(from: string, id: string): Promise<void> {
    const folder = this.#linksOf(from);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(path.join(folder, id), '', { mode: 0o600 });
  }

  async *#candidates({ group, url }: EntryQuery): AsyncGenerator<EntrySummary> {
    if (group !== undefined) {
      const own = await this.#summary(group);
      if (own) yield own;
      yield* this.#linked(group);
    } else if (url !== undefined) yield* this.#linked(url);
    else yield* this.#all();
  }

  /** What links lead to; a link may have outlived what it led to. */
  async *#linked(from: string): AsyncGenerator<EntrySummary> {
    for (const id of (await orUndefined(readdir(this.#linksOf(from)))) ?? []) {
      const entry = await this.#summary(id);
      if (entry) yield entry;
    }
  }

  async *#all(): AsyncGenerator<EntrySummary> {
    for await (const { folder, names } of this.#subfolders()) {
      await this.#dropAbandoned(folder, names);
      // Once each, even where a file is just being replaced by one of another extension.
      const ids = [...new Set(names.map(idOf))].filter((id) => id !== undefined);
      for (const batch of batches(ids, AT_ONCE)) {
        for (const entry of await Promise.all(batch.map((id) => this.#summary(id)))) if (entry) yield entry;
      }
    }
  }

  async *#subfolders(): AsyncGenerator<{ readonly folder: string; readonly names: readonly string[] }> {
    const rows = path.join(this.folder, ROWS);
    for (const part of (await orUndefined(readdir(rows))) ?? []) {
      const folder = path.join(rows, part);
      yield { folder, names: (await orUndefined(readdir(folder))) ?? [] };
    }
  }

  #summary(id: string): Promise<EntrySummary | undefined> {
    return this.#seek(id, async (file) => readSummary(id, await open(file)));
  }

  /** What processes that were killed left half written goes with the next look at everything. */
  async #dropAbandoned(folder: string, names: readonly string[]): Promise<void> {
    for (const name of names.filter((one) => one.endsWith(UNFINISHED))) {
      const file = path.join(folder, name);
      const status = await orUndefined(stat(file));
      if (status && this.#now() - status.mtimeMs > ABANDONED_AFTER) await orUndefined(unlink(file));
    }
  }

  #isBounded(): boolean {
    return this.#options.maxEntries !== undefined || this.#options.maxSize !== undefined;
  }

  /** Counts on from what is known, and looks again only when a bound seems to be reached. */
  async #keepBounds(file: string, size: number): Promise<void> {
    await orUndefined(utimes(file, this.#now() / 1000, this.#now() / 1000));
    const { maxEntries = Number.POSITIVE_INFINITY, maxSize = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#extent) {
      this.#extent.entries += 1;
      this.#extent.bytes += size;
      if (this.#extent.entries <= maxEntries && this.#extent.bytes <= maxSize) return;
    }
    const files: { file: string; used: number; size: number }[] = [];
    for await (const { folder, names } of this.#subfolders()) {
      await this.#dropAbandoned(folder, names);
      for (const name of names.filter((one) => idOf(one) !== undefined)) {
        const found = path.join(folder, name);
        const status = await orUndefined(stat(found));
        if (status) files.push({ file: found, used: status.mtimeMs, size: status.size });
      }
    }
    files.sort((a, b) => a.used - b.used);
    let [entries, bytes] = [files.length, files.reduce((sum, one) => sum + one.size, 0)];
    if (entries > maxEntries || bytes > maxSize) {
      for (const one of files) {
        if (entries <= maxEntries * EVICTION_GOAL && bytes <= maxSize * EVICTION_GOAL) break;
        await orUndefined(unlink(one.file));
        entries -= 1;
        bytes -= one.size;
      }
    }
    this.#extent = { entries, bytes };
  }
}

/** The id of the entry that a file of that name holds; undefined where it holds none. */
function idOf(name: string): string | undefined {
  const extension = EXTENSIONS.find((one) => name.endsWith(one));
  return extension && name.slice(0, -extension.length);
}

/** Head and metadata, without reading the body. Closes the file. */
async function readSummary(id: string, handle: FileHandle): Promise<EntrySummary> {
  try {
    const { size } = await handle.stat();
    const head = Buffer.alloc(Math.min(HEAD_LENGTH, size));
    await handle.read(head, 0, head.byteLength, 0);
    const start = Buffer.alloc(Math.min(summaryLength(head), size));
    await handle.read(start, 0, start.byteLength, 0);
    return parseSummary(id, start, size);
  } finally {
    await handle.close();
  }
}

/** Nothing where there is no such file or folder. */
async function orUndefined<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

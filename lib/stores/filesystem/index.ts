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
import type { Entry, EntrySummary } from '../../models/entry.js';
import { counts, eachFound, fits, mapConcurrently, putInTurn, withMembers } from '../entry-query.js';
import { deleteExpiredOneByOne, RetentionSweep } from '../retention.js';
import { leadingTo } from '../secondary-index.js';
import type { EntryQuery, Store } from '../store.js';
import { HEAD_LENGTH, packEntry, parseEntry, parseSummary, summaryLength } from '../stored-form.js';
import { type EntryFile, FileBounds } from './bounds.js';

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
/** Empty files whose names lead from a group, or a URL's digest, to ids: an index that needs no writing back. */
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

/**
 * Entries in files, one each, in a folder with subfolders. A file is written beside its place and renamed, so that every
 * reader finds it whole or not at all.
 *
 * A file's name tells by its extension what it holds. Files of other extensions are those of the same cache, opened with
 * another serializer: entries as well, of which an id has one at a time.
 */
export class FileStore implements Store {
  readonly name = 'filesystem';
  readonly folder: string;
  readonly #now: () => number;
  readonly #extension: FileExtension;
  readonly #otherExtensions: readonly FileExtension[];
  readonly #bounds: FileBounds | undefined;
  readonly #sweep: RetentionSweep;
  /** What was cleared is on its way out. */
  #removing: Promise<unknown> | undefined;

  /** @param extension of the files that are written */
  constructor(cacheName: string, options: FileStoreOptions, now: () => number, extension: FileExtension = '.bin') {
    this.folder = path.resolve(cacheName);
    this.#now = now;
    this.#extension = extension;
    this.#otherExtensions = EXTENSIONS.filter((other) => other !== extension);
    this.#sweep = new RetentionSweep(options.retention, now);
    if (options.maxEntries !== undefined || options.maxSize !== undefined) {
      this.#bounds = new FileBounds(
        options,
        () => this.#files(),
        (id) => this.#drop(id),
      );
    }
  }

  async find(id: string): Promise<Entry | undefined> {
    const found = await this.#seek(id, async (file) => ({ file, row: await readFile(file) }));
    if (!found) return undefined;
    if (this.#bounds) await this.#used(found.file);
    return parseEntry(id, found.row);
  }

  async put(entries: readonly Entry[]): Promise<boolean> {
    return putInTurn(this, entries, (entry) => this.#putOne(entry));
  }

  async #putOne(entry: Entry): Promise<void> {
    const row = packEntry(entry);
    const file = this.#fileOf(entry.id, this.#extension);
    // Again where somebody cleared the cache meanwhile, folders and all.
    while (!(await orUndefined(replace(file, row))));
    // Only now, so that one is there at any time. Of two written at once with different extensions, neither may be left.
    await this.#remove(entry.id, this.#otherExtensions);
    await Promise.all(this.#linksOf(entry).map((link) => write(link, '')));
    if (this.#bounds) {
      await this.#used(file);
      this.#bounds.added({ id: entry.id, used: this.#now(), size: row.byteLength });
    }
    this.#sweep.start((until) => deleteExpiredOneByOne(this, until));
  }

  async deleteGroups(ids: readonly string[]): Promise<number> {
    return this.delete(await withMembers(this, ids));
  }

  async delete(ids: readonly string[]): Promise<number> {
    const dropped = (await mapConcurrently(ids, (id) => this.#drop(id))).filter((summary) => summary !== undefined);
    for (const summary of dropped) this.#bounds?.removed(summary);
    return dropped.filter(counts).length;
  }

  async *list(query: EntryQuery = {}): AsyncGenerator<EntrySummary> {
    for await (const entry of this.#candidates(query)) if (fits(entry, query)) yield entry;
  }

  /**
   * Puts everything aside; removing so many files takes its time, which nobody has to wait for. Only subfolders, since
   * Node fails to make a folder in one that goes meanwhile.
   */
  async *clear(): AsyncGenerator<unknown> {
    for (const part of [ROWS, LINKS].map((name) => path.join(this.folder, name))) {
      yield await mapConcurrently((await orUndefined(readdir(part))) ?? [], (subfolder) => {
        const aside = `${part}.${subfolder}.${randomBytes(6).toString('hex')}${CLEARED}`;
        return orUndefined(rename(path.join(part, subfolder), aside));
      });
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
    await Promise.all([this.#removing, this.#bounds?.settled(), this.#sweep.settled()]);
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

  /** What was there. Links go first: if one outlives its entry, it leads nowhere; the other way round it would be missed. */
  async #drop(id: string): Promise<EntrySummary | undefined> {
    const summary = await this.#summary(id);
    if (!summary) return undefined;
    await Promise.all(this.#linksOf(summary).map((link) => orUndefined(unlink(link))));
    await this.#remove(id, EXTENSIONS);
    return summary;
  }

  /** Notes the time of last use, which files keep by themselves in their own way on each system. */
  async #used(file: string): Promise<void> {
    await orUndefined(utimes(file, this.#now() / 1000, this.#now() / 1000));
  }

  #linksOf(entry: EntrySummary): string[] {
    return leadingTo(entry).map((from) => path.join(this.#linksFolder(from), `${from}.${entry.id}`));
  }

  /** Where links that lead from something are, among others. */
  #linksFolder(from: string): string {
    return path.join(this.folder, LINKS, from.slice(0, 2));
  }

  async *#candidates({ group, index: url }: EntryQuery): AsyncGenerator<EntrySummary> {
    if (group !== undefined) {
      const own = await this.#summary(group);
      if (own) yield own;
      yield* this.#linked(group);
    } else if (url !== undefined) yield* this.#linked(url);
    else yield* this.#all();
  }

  /** What links lead to; a link may have outlived what it led to. */
  async *#linked(from: string): AsyncGenerator<EntrySummary> {
    const names = (await orUndefined(readdir(this.#linksFolder(from)))) ?? [];
    const ids = names.filter((name) => name.startsWith(`${from}.`)).map((name) => name.slice(from.length + 1));
    yield* eachFound(ids, (id) => this.#summary(id));
  }

  async *#all(): AsyncGenerator<EntrySummary> {
    for await (const { folder, names } of this.#subfolders()) {
      await this.#dropAbandoned(folder, names);
      // Once each, even where a file is just being replaced by one of another extension.
      const ids = [...new Set(names.map(idOf))].filter((id) => id !== undefined);
      yield* eachFound(ids, (id) => this.#summary(id));
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

  async *#files(): AsyncGenerator<EntryFile> {
    for await (const { folder, names } of this.#subfolders()) {
      await this.#dropAbandoned(folder, names);
      for (const name of names) {
        const id = idOf(name);
        const status = id === undefined ? undefined : await orUndefined(stat(path.join(folder, name)));
        if (id !== undefined && status) yield { id, used: status.mtimeMs, size: status.size };
      }
    }
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

/** Writes a file beside its place, and puts it there. */
async function replace(file: string, data: Uint8Array): Promise<true> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}${UNFINISHED}`;
  try {
    await write(temporary, data);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return true;
}

/** Writes a file for its owner alone, and makes its folder where there is none, however often it is cleared away. */
async function write(file: string, data: string | Uint8Array): Promise<void> {
  const written = () => orUndefined(writeFile(file, data, { mode: 0o600 }).then(() => true));
  while (!(await written())) await orUndefined(mkdir(path.dirname(file), { recursive: true, mode: 0o700 }));
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

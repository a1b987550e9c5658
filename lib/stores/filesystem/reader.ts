import { closeSync, constants, fstatSync, futimesSync, lstatSync, openSync, readSync, type Stats } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import * as path from 'node:path';
import type { Entry, EntrySummary } from '../../models/entry.js';
import type { MaybePromise } from '../../platform/maybe-promise.js';
import { monotonicNow } from '../../platform/real-time.js';
import { HEAD_LENGTH, parseEntry, parseWholeSummary, summaryLength, unreadable, wholeLength } from '../stored-form.js';
import { isAbsent, readFailure } from './failures.js';
import type { Folders } from './folders.js';
import type { ReadPace } from './read-pace.js';

/** Follows no symbolic link, and does not wait for the writer of a FIFO. Windows has neither flag. */
const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
/** Bytes of the largest file that is read synchronously. */
const SMALL = 65_536;
/** Bytes that contain the summary of most entries. */
const SUMMARY = 8_192;
/** Bytes of one read. Node.js 20 ends the process if they are more than 2 GiB. */
const MOST = 1_073_741_824;
/** Milliseconds within which the time of last use is not written again. */
const USE_INTERVAL = 1_000;

/** Reads entries from files. Unreadable files are entries of kind `unknown`. */
export class EntryReader {
  readonly #folders: Folders;
  readonly #pace: ReadPace;
  readonly #now: (() => number) | undefined;

  /** @param now notes the time of last use as the time of modification, by this clock; undefined: it is not noted */
  constructor(folders: Folders, pace: ReadPace, now: (() => number) | undefined) {
    this.#folders = folders;
    this.#pace = pace;
    this.#now = now;
  }

  /**
   * Returns the entry in a file; undefined if there is no file.
   *
   * @throws StoreFailure if the drive does not answer, or no file can be opened
   */
  find(id: string, file: string): MaybePromise<Entry | undefined> {
    return this.#pace.isQuick ? this.#findSync(id, file) : this.#findAsync(id, file);
  }

  /** Returns those of the files that exist, of any type. */
  existing(files: readonly string[]): MaybePromise<readonly string[]> {
    return this.#pace.isQuick ? this.#existingSync(files) : this.#existingAsync(files);
  }

  #existingSync(files: readonly string[]): readonly string[] {
    const folders = new Set(files.map(path.dirname));
    for (const folder of folders) if (!this.#hasFolderSync(folder)) folders.delete(folder);
    return files.filter((file) => folders.has(path.dirname(file)) && existsSync(file));
  }

  #hasFolderSync(folder: string): boolean {
    try {
      return this.#folders.has(folder) === true;
    } catch (error) {
      return !isAbsent(error);
    }
  }

  async #existingAsync(files: readonly string[]): Promise<readonly string[]> {
    const exist = await Promise.all(
      files.map(async (file) => {
        try {
          if (!(await this.#folders.has(path.dirname(file)))) return false;
          await lstat(file);
          return true;
        } catch (error) {
          return !isAbsent(error);
        }
      }),
    );
    return files.filter((_, index) => exist[index]);
  }

  /** Returns the entry in a file without its body; undefined if there is no file. @throws as {@link find} */
  async summary(id: string, file: string): Promise<EntrySummary | undefined> {
    const handle = await this.#open(id, file);
    if (!isHandle(handle)) return handle;
    try {
      return await readSummary(id, handle);
    } catch (error) {
      return unreadableOr(id, error);
    } finally {
      await handle.close();
    }
  }

  #findSync(id: string, file: string): MaybePromise<Entry | undefined> {
    const started = monotonicNow();
    let descriptor: number | undefined;
    try {
      if (!this.#folders.has(path.dirname(file))) return undefined;
      descriptor = openSync(file, READ);
      const status = fstatSync(descriptor);
      if (status.size > SMALL) return this.#findAsync(id, file);
      if (!status.isFile()) return unreadable(id, status.size);
      const bytes = Buffer.allocUnsafe(status.size);
      const length = readSync(descriptor, bytes, 0, bytes.byteLength, 0);
      if (this.#isUsed(status)) this.#touchSync(descriptor);
      return parseEntry(id, bytes.subarray(0, length));
    } catch (error) {
      return isAbsent(error) ? undefined : unreadableOr(id, error);
    } finally {
      if (descriptor !== undefined) closeSync(descriptor);
      this.#pace.took(started);
    }
  }

  async #findAsync(id: string, file: string): Promise<Entry | undefined> {
    const started = monotonicNow();
    const handle = await this.#open(id, file);
    this.#pace.took(started);
    if (!isHandle(handle)) return handle;
    try {
      const status = await handle.stat();
      if (!status.isFile()) return unreadable(id, status.size);
      // Something else may be there that is larger than the memory.
      if (status.size > SMALL && !(await isWhole(handle, status.size))) return unreadable(id, status.size);
      const bytes = Buffer.allocUnsafeSlow(status.size);
      const length = await readFully(handle, bytes);
      if (this.#isUsed(status)) await handle.utimes(this.#seconds(), this.#seconds()).catch(() => {});
      return parseEntry(id, bytes.subarray(0, length));
    } catch (error) {
      return unreadableOr(id, error);
    } finally {
      await handle.close();
    }
  }

  async #open(id: string, file: string): Promise<FileHandle | Entry | undefined> {
    try {
      return (await this.#folders.has(path.dirname(file))) ? await open(file, READ) : undefined;
    } catch (error) {
      return isAbsent(error) ? undefined : unreadableOr(id, error);
    }
  }

  #isUsed({ mtimeMs }: Stats): boolean {
    return this.#now !== undefined && Math.abs(this.#now() - mtimeMs) >= USE_INTERVAL;
  }

  /** Fails for a file of another user and on a read-only drive: the time is then not noted. */
  #touchSync(descriptor: number): void {
    try {
      futimesSync(descriptor, this.#seconds(), this.#seconds());
    } catch {
      // Eviction then takes the file for older than it is.
    }
  }

  #seconds(): number {
    return (this.#now?.() ?? 0) / 1000;
  }
}

/** Whether a file has the length that its head says. */
async function isWhole(handle: FileHandle, size: number): Promise<boolean> {
  return wholeLength(await readStart(handle, HEAD_LENGTH)) === size;
}

/** Reads head and metadata; checks the length of the whole. */
async function readSummary(id: string, handle: FileHandle): Promise<EntrySummary> {
  const status = await handle.stat();
  if (!status.isFile()) return unreadable(id, status.size);
  const { size } = status;
  let start = await readStart(handle, Math.min(SUMMARY, size));
  if (wholeLength(start) !== size) return unreadable(id, size);
  const length = summaryLength(start);
  if (length > start.byteLength && length <= size) start = await readStart(handle, length);
  return parseWholeSummary(id, start, size);
}

async function readStart(handle: FileHandle, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length);
  return bytes.subarray(0, await readFully(handle, bytes));
}

/** Fills the buffer, or as much of it as the file has; returns the number of bytes. */
async function readFully(handle: FileHandle, bytes: Buffer): Promise<number> {
  let length = 0;
  while (length < bytes.byteLength) {
    const { bytesRead } = await handle.read(bytes, length, Math.min(bytes.byteLength - length, MOST), length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}

function existsSync(file: string): boolean {
  try {
    return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    return !isAbsent(error);
  }
}

/** @throws StoreFailure if the error says nothing of this entry */
function unreadableOr(id: string, error: unknown): Entry {
  const failure = readFailure(error);
  if (failure) throw failure;
  return unreadable(id, 0);
}

function isHandle(found: FileHandle | Entry | undefined): found is FileHandle {
  return found !== undefined && 'close' in found;
}

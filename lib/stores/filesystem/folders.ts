import { lstatSync } from 'node:fs';
import { lstat, mkdir, readdir, rmdir, unlink } from 'node:fs/promises';
import * as path from 'node:path';
import type { MaybePromise } from '../../platform/maybe-promise.js';
import { mapConcurrently } from '../concurrency.js';
import { StoreFailure } from '../store-failure.js';
import { codeOf, failureOf, isAbsent } from './failures.js';
import type { ReadPace } from './read-pace.js';

/** Errors of `unlink` for a folder, the second on macOS. */
const FOLDER = new Set(['EISDIR', 'EPERM']);

/**
 * The folders of a cache: its own, which the user chooses, in it the parts, in these the subfolders. Parts and subfolders
 * are never symbolic links: in a folder that others may write to, a link could point to their files.
 */
export class Folders {
  readonly #root: string;
  readonly #pace: ReadPace;

  constructor(root: string, pace: ReadPace) {
    this.#root = root;
    this.#pace = pace;
  }

  /** Whether a subfolder, and the part that it is in, exist and are no links. @throws the error of the file system */
  has(subfolder: string): MaybePromise<boolean> {
    const part = path.dirname(subfolder);
    if (this.#pace.isQuick) return isFolderSync(part) && isFolderSync(subfolder);
    return Promise.all([isFolder(part), isFolder(subfolder)]).then((both) => both.every(Boolean));
  }

  /**
   * Makes a part, or a subfolder and its part, for their owner alone.
   *
   * @throws StoreFailure `refusal` if it cannot be made, or if something else has its name
   */
  async make(folder: string): Promise<void> {
    try {
      await makeAncestors(this.#root);
      for (const one of [path.dirname(folder), folder].filter((parent) => parent !== this.#root)) {
        await makeOne(one);
        if (!(await isFolder(one))) throw new StoreFailure('refusal', new Error(`${one} is not a folder`));
      }
    } catch (error) {
      // Not an entry failure, though the code may be EEXIST: all entries of the folder have it.
      throw error instanceof StoreFailure || failureOf(error).kind !== 'entry'
        ? failureOf(error)
        : new StoreFailure('refusal', error);
    }
  }

  /** Returns the names in a part or subfolder; none if it is absent or a link. @throws StoreFailure if it cannot be read */
  async namesIn(folder: string): Promise<string[]> {
    try {
      return (await isFolder(folder)) ? await readdir(folder) : [];
    } catch (error) {
      if (isAbsent(error)) return [];
      throw failureOf(error);
    }
  }

  /**
   * Removes files in subfolders or parts, and empty folders in their places; returns whether all are gone.
   *
   * @throws StoreFailure
   */
  async remove(files: readonly string[]): Promise<boolean> {
    return (await mapConcurrently(files, (file) => this.#remove(file))).every(Boolean);
  }

  /** Removes a file; returns whether it was there. @throws StoreFailure */
  async removeExisting(file: string): Promise<boolean> {
    try {
      await unlink(file);
      return true;
    } catch (error) {
      if (isAbsent(error)) return false;
      throw failureOf(error);
    }
  }

  async #remove(file: string): Promise<boolean> {
    // A subfolder that has become a link points to files of other owners.
    const folder = path.dirname(file);
    if (path.dirname(folder) !== this.#root && !(await this.has(folder))) return true;
    try {
      await unlink(file);
      return true;
    } catch (error) {
      if (isAbsent(error)) return true;
      const code = FOLDER.has(codeOf(error)) ? await removedFolder(file) : 'ENOTDIR';
      // If it is no folder, the first attempt failed for another reason.
      if (code === 'ENOTDIR') throw failureOf(error);
      return code === 'removed' || code === 'ENOENT';
    }
  }
}

/** Makes a folder and those that it is in. The option `recursive` of `mkdir` never ends in a folder such as `/proc`. */
async function makeAncestors(folder: string): Promise<void> {
  try {
    await makeOne(folder);
  } catch (error) {
    if (!isAbsent(error) || path.dirname(folder) === folder) throw error;
    await makeAncestors(path.dirname(folder));
    await makeOne(folder);
  }
}

async function makeOne(folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
}

/** Returns `removed`, or the code of the error: a folder that is not empty stays. */
async function removedFolder(folder: string): Promise<string> {
  return rmdir(folder).then(
    () => 'removed',
    (error: unknown) => codeOf(error),
  );
}

async function isFolder(folder: string): Promise<boolean> {
  try {
    return (await lstat(folder)).isDirectory();
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

function isFolderSync(folder: string): boolean {
  return lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

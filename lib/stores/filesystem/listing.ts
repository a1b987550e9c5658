import type { Stats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import * as path from 'node:path';
import { mapConcurrently } from '../concurrency.js';
import type { EntryFile } from './bounds.js';
import type { Folders } from './folders.js';
import {
  EXTENSIONS,
  type FileLayout,
  idOfEntry,
  isEmptyFile,
  isMember,
  isSubfolder,
  isTaken,
  isTemporary,
  PARTS,
  type Part,
} from './layout.js';

/** Milliseconds after which a temporary file belongs to a process that was killed. */
const ABANDONED_AFTER = 600_000;

/** Lists the files of a cache, subfolder by subfolder. Names that are not of the cache are left out. */
export class FileListing {
  readonly #layout: FileLayout;
  readonly #folders: Folders;
  readonly #now: () => number;

  constructor(layout: FileLayout, folders: Folders, now: () => number) {
    this.#layout = layout;
    this.#folders = folders;
    this.#now = now;
  }

  /** Lists the names of the subfolders. @throws StoreFailure */
  async subfolders(part: Part = 'responses_v1'): Promise<string[]> {
    return (await this.#folders.namesIn(this.#layout.part(part))).filter(isSubfolder);
  }

  /** Lists the ids of all entries, once each, and removes files of killed processes. @throws StoreFailure */
  async *ids(): AsyncGenerator<readonly string[]> {
    for (const subfolder of await this.subfolders()) {
      const names = await this.#entriesIn(subfolder);
      // A file that is being replaced by one of another extension has two.
      yield [...new Set(names.map(([id]) => id))];
    }
  }

  /** Lists the file of each entry in a subfolder, and removes files of killed processes. @throws StoreFailure */
  async filesIn(subfolder: string): Promise<EntryFile[]> {
    const names = await this.#entriesIn(subfolder);
    const files = await mapConcurrently(names, ([id, file]) => fileOf(id, file));
    return files.filter((file) => file !== undefined);
  }

  /** Returns the file of an entry; undefined if there is none. */
  async find(id: string): Promise<EntryFile | undefined> {
    for (const extension of EXTENSIONS) {
      const file = await fileOf(id, this.#layout.entry(id, extension));
      if (file) return file;
    }
    return undefined;
  }

  /** Lists the paths of everything that a cache has written, also of files that are being written. @throws StoreFailure */
  async *everything(): AsyncGenerator<readonly string[]> {
    for (const part of PARTS) {
      for (const subfolder of await this.subfolders(part)) {
        const folder = path.join(this.#layout.part(part), subfolder);
        const names = await this.#folders.namesIn(folder);
        yield names.filter((name) => isOurs(part, subfolder, name)).map((name) => path.join(folder, name));
      }
    }
    const links = this.#layout.part('links_v1');
    yield (await this.#folders.namesIn(links)).filter(isEmptyFile).map((name) => path.join(links, name));
  }

  async #entriesIn(subfolder: string): Promise<(readonly [id: string, file: string])[]> {
    const folder = path.join(this.#layout.part('responses_v1'), subfolder);
    const names = await this.#folders.namesIn(folder);
    await this.#removeAbandoned(
      names.filter((name) => isTemporary(subfolder, name)).map((name) => path.join(folder, name)),
    );
    return names.flatMap((name) => {
      const id = idOfEntry(subfolder, name);
      return id === undefined ? [] : [[id, path.join(folder, name)] as const];
    });
  }

  async #removeAbandoned(files: readonly string[]): Promise<void> {
    for (const file of files) {
      const status = await statusOf(file);
      if (!status) continue;
      // An entry that was taken away is as old as it was.
      const changed = isTaken(path.basename(file)) ? Math.max(status.mtimeMs, status.ctimeMs) : status.mtimeMs;
      if (this.#now() - changed > ABANDONED_AFTER) await this.#folders.remove([file]);
    }
  }
}

async function fileOf(id: string, file: string): Promise<EntryFile | undefined> {
  const status = await statusOf(file);
  return status?.isFile() ? { id, used: status.mtimeMs, size: status.size } : undefined;
}

async function statusOf(file: string): Promise<Stats | undefined> {
  return lstat(file).catch(() => undefined);
}

function isOurs(part: Part, subfolder: string, name: string): boolean {
  if (part === 'links_v1') return isMember(subfolder, name);
  return idOfEntry(subfolder, name) !== undefined || isTemporary(subfolder, name);
}

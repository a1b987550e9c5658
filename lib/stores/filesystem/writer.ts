import { constants } from 'node:fs';
import { type FileHandle, link, open, rename, rmdir, unlink } from 'node:fs/promises';
import * as path from 'node:path';
import type { Entry, EntrySummary } from '../../models/entry.js';
import { isDirect } from '../entry-query.js';
import { StoreFailure } from '../store-failure.js';
import { packSummary } from '../stored-form.js';
import { codeOf, failureOf, isAbsent } from './failures.js';
import type { Folders } from './folders.js';
import { type FileLayout, temporaryName } from './layout.js';

/** A new file: an existing one, or a symbolic link of that name, is an error. */
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
const OWNER_ONLY = 0o600;
/** Attempts at operations that others may undo meanwhile, such as making a folder. */
const ATTEMPTS = 5;
/** Errors of file systems without hard links, and of links to files of other users. */
const NO_HARD_LINKS = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EXDEV']);
/** Bytes up to which copying a body costs less than another write. */
const SMALL = 65_536;

/** An entry in a temporary file, not yet in its place. */
export interface StagedFile {
  readonly temporary: string;
  /** Bytes. */
  readonly size: number;
}

/** Writes files so that every reader finds each of them whole or not at all. */
export class EntryWriter {
  readonly #layout: FileLayout;
  readonly #folders: Folders;
  readonly #durable: boolean;

  /** @param durable whether files and folders are synced, so that a write survives a power cut */
  constructor(layout: FileLayout, folders: Folders, durable: boolean) {
    this.#layout = layout;
    this.#folders = folders;
    this.#durable = durable;
  }

  /** Writes an entry to a temporary file beside its place. @throws StoreFailure, `entry` if it is larger than `maxSize` */
  async stage(entry: Entry, file: string, maxSize: number): Promise<StagedFile> {
    const temporary = temporaryName(file);
    const summary = packSummary(entry);
    const size = summary.byteLength + entry.body.byteLength;
    if (size > maxSize) throw new StoreFailure('entry', new RangeError(`${size} bytes exceed maxSize`));
    const handle = await this.#create(temporary);
    try {
      const parts = size <= SMALL ? [Buffer.concat([summary, entry.body])] : [summary, entry.body];
      for (const part of parts) await handle.writeFile(part);
      if (this.#durable) await handle.sync();
    } catch (error) {
      await unlink(temporary).catch(() => {});
      throw failureOf(error);
    } finally {
      await handle.close();
    }
    return { temporary, size };
  }

  /**
   * Moves a staged file to its place, and replaces an existing file.
   *
   * @returns false if the staged file is gone: the cache was cleared meanwhile
   * @throws StoreFailure
   */
  async place({ temporary }: StagedFile, file: string): Promise<boolean> {
    try {
      await rename(temporary, file).catch(async (error: unknown) => {
        // A folder in its place is removed if it is empty.
        if (!(await isRemovedFolder(file))) throw error;
        await rename(temporary, file);
      });
      await this.#synced(file);
      return true;
    } catch (error) {
      if (isAbsent(error)) return false;
      throw failureOf(error);
    }
  }

  /**
   * Moves a staged redirect to its place, unless a direct response is there or comes there meanwhile.
   *
   * @param summaryOf reads the entry in a file
   * @returns false if it is not there
   * @throws StoreFailure
   */
  async placeRedirect(
    staged: StagedFile,
    file: string,
    summaryOf: (file: string) => Promise<EntrySummary | undefined>,
  ): Promise<boolean> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const linked = await hardLink(staged.temporary, file);
      if (linked !== 'exists') {
        if (linked === 'linked') await this.#synced(file);
        return linked === 'unsupported' ? this.place(staged, file) : linked === 'linked';
      }
      const current = await summaryOf(file);
      if (isDirect(current)) return false;
      if (current?.kind === 'unknown') return this.place(staged, file);
      // Taken away before it is replaced, so that a direct response that came meanwhile can be put back.
      const taken = temporaryName(file);
      if (!(await moved(file, taken))) continue;
      const wasDirect = isDirect(await summaryOf(taken));
      if (wasDirect) await this.#putBack(taken, file, summaryOf);
      await this.#folders.remove([taken]);
      if (wasDirect) return false;
    }
    throw new StoreFailure('entry', new Error(`${file} was replaced ${ATTEMPTS} times meanwhile`));
  }

  /** Puts a direct response back, also over a redirect that came meanwhile. */
  async #putBack(
    taken: string,
    file: string,
    summaryOf: (file: string) => Promise<EntrySummary | undefined>,
  ): Promise<void> {
    const linked = await hardLink(taken, file);
    if (linked === 'unsupported' || (linked === 'exists' && !isDirect(await summaryOf(file)))) await moved(taken, file);
  }

  /** Removes a staged file. */
  async discard({ temporary }: StagedFile): Promise<void> {
    await unlink(temporary).catch(() => {});
  }

  /** Moves a staged file to its place if no file is there; returns whether it was moved. @throws StoreFailure */
  async placeNew(staged: StagedFile, file: string): Promise<boolean> {
    const linked = await hardLink(staged.temporary, file);
    if (linked === 'unsupported') return this.place(staged, file);
    if (linked === 'linked') await this.#synced(file);
    return linked === 'linked';
  }

  /** Adds a member of the index. @throws StoreFailure */
  async addMember(member: string): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      await this.#ready(member);
      const linked = await hardLink(this.#layout.emptyFile(), member);
      if (linked === 'exists') return;
      if (linked === 'linked' || (linked === 'unsupported' && (await this.#createMember(member)))) {
        return this.#synced(member);
      }
      await this.#makeEmptyFile();
    }
    throw new StoreFailure('refusal', new Error(`${member} cannot be made`));
  }

  /** Creates a member as a file of its own. */
  async #createMember(member: string): Promise<true> {
    const handle = await this.#create(member).catch((error: StoreFailure) => {
      if (codeOf(error.cause) !== 'EEXIST') throw error;
    });
    await handle?.close();
    return true;
  }

  /** Creates a file, and its folder if there is none. */
  async #create(file: string): Promise<FileHandle> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      await this.#ready(file);
      try {
        return await open(file, CREATE, OWNER_ONLY);
      } catch (error) {
        if (!isAbsent(error)) throw failureOf(error);
      }
    }
    throw new StoreFailure('refusal', new Error(`${path.dirname(file)} was removed ${ATTEMPTS} times meanwhile`));
  }

  /** Makes the folder of a file if there is none. */
  async #ready(file: string): Promise<void> {
    const folder = path.dirname(file);
    if (await this.#folders.has(folder)) return;
    await this.#folders.make(folder);
    await this.#synced(folder);
  }

  /** Makes the name of a file survive a power cut. Windows cannot open a folder, and does so by itself. */
  async #synced(file: string): Promise<void> {
    if (!this.#durable || process.platform === 'win32') return;
    const handle = await open(path.dirname(file), constants.O_RDONLY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  /** Makes the file that members of the index are links to, or another in its place if it has all links that it can. */
  async #makeEmptyFile(): Promise<void> {
    const file = this.#layout.emptyFile();
    const temporary = temporaryName(file);
    const handle = await open(temporary, CREATE, OWNER_ONLY).catch((error: unknown) => {
      throw failureOf(error);
    });
    await handle.close();
    await this.place({ temporary, size: 0 }, file);
  }
}

async function isRemovedFolder(folder: string): Promise<boolean> {
  return rmdir(folder).then(
    () => true,
    () => false,
  );
}

type Linked = 'linked' | 'exists' | 'absent' | 'full' | 'unsupported';

export async function hardLink(file: string, name: string): Promise<Linked> {
  try {
    await link(file, name);
    return 'linked';
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return 'exists';
    if (code === 'EMLINK') return 'full';
    if (isAbsent(error)) return 'absent';
    if (NO_HARD_LINKS.has(code)) return 'unsupported';
    throw failureOf(error);
  }
}

/** Renames a file; returns false if it is absent. */
export async function moved(file: string, to: string): Promise<boolean> {
  try {
    await rename(file, to);
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw failureOf(error);
  }
}

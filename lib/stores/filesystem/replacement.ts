import * as path from 'node:path';
import type { Entry, EntrySummary } from '../../models/entry.js';
import { isSame } from '../stored-form.js';
import type { Folders } from './folders.js';
import { isTaken, takenName } from './layout.js';
import type { EntryReader } from './reader.js';
import { type EntryWriter, hardLink, moved, type StagedFile } from './writer.js';

/**
 * Replaces a file only if it contains a certain entry. The file is taken away by a rename, in which one of several writers
 * succeeds, then compared, and replaced or put back. Meanwhile readers find no file, and deletions the file that was taken
 * away.
 */
export class FileReplacement {
  readonly #folders: Folders;
  readonly #reader: EntryReader;
  readonly #writer: EntryWriter;
  readonly #running = new Map<string, Promise<unknown>>();

  constructor(folders: Folders, reader: EntryReader, writer: EntryWriter) {
    this.#folders = folders;
    this.#reader = reader;
    this.#writer = writer;
  }

  /** Resolves when this process is not replacing the file; undefined if it is not. */
  pending(file: string): Promise<unknown> | undefined {
    return this.#running.get(file);
  }

  /** Returns whether the staged file is now in the place of the entry. @throws StoreFailure */
  async replace(entry: Entry, file: string, staged: StagedFile): Promise<boolean> {
    while (this.#running.has(file)) await this.#running.get(file);
    const running = this.#replace(entry, file, staged);
    this.#running.set(
      file,
      running.catch(() => {}).finally(() => this.#running.delete(file)),
    );
    return running;
  }

  async #replace(entry: Entry, file: string, staged: StagedFile): Promise<boolean> {
    const taken = takenName(file);
    if (!(await moved(file, taken))) return false;
    if (!isSame(await this.#reader.find(entry.id, taken), entry)) {
      await this.#putBack(taken, file);
      return false;
    }
    // A file that came meanwhile is newer.
    const isPlaced = await this.#writer.placeNew(staged, file);
    if (await this.#folders.removeExisting(taken)) return isPlaced;
    // It was deleted meanwhile.
    if (isPlaced) await this.#folders.remove([file]);
    return false;
  }

  /** The files of an entry that were taken away. */
  async taken(file: string): Promise<readonly string[]> {
    const [folder, name] = [path.dirname(file), path.basename(file)];
    const names = await this.#folders.namesIn(folder);
    return names.filter((one) => isTaken(one, name)).map((one) => path.join(folder, one));
  }

  /** The entry of a file that is absent, since it is being replaced; undefined if it is not. */
  async summary(id: string, file: string): Promise<EntrySummary | undefined> {
    // Twice, since it may have been put back and taken away again between the looks.
    for (let look = 0; look < 2; look += 1) {
      for (const place of [...(await this.taken(file)), file]) {
        const found = await this.#reader.summary(id, place);
        if (found) return found;
      }
    }
    return undefined;
  }

  async #putBack(taken: string, file: string): Promise<void> {
    const linked = await hardLink(taken, file);
    if (linked === 'unsupported') await moved(taken, file);
    else if (!(await this.#folders.removeExisting(taken)) && linked === 'linked') await this.#folders.remove([file]);
  }
}

import * as path from 'node:path';
import type { EntrySummary } from '../../models/entry.js';
import { allSettled } from '../concurrency.js';
import { indexedUnder } from '../secondary-index.js';
import type { Folders } from './folders.js';
import { type FileLayout, memberOf } from './layout.js';
import type { EntryReader } from './reader.js';
import type { EntryWriter } from './writer.js';

/**
 * The secondary index of a folder: for each group or digest of an entry an empty file whose name contains the entry's
 * id.
 * No list is read and written back, since processes share a folder.
 */
export class FileIndex {
  readonly #layout: FileLayout;
  readonly #folders: Folders;
  readonly #reader: EntryReader;
  readonly #writer: EntryWriter;

  constructor(layout: FileLayout, folders: Folders, reader: EntryReader, writer: EntryWriter) {
    this.#layout = layout;
    this.#folders = folders;
    this.#reader = reader;
    this.#writer = writer;
  }

  /** Adds the members of an entry that are missing. @throws StoreFailure */
  async add(entry: EntrySummary): Promise<void> {
    const members = this.#membersOf(entry.id, indexedUnder(entry));
    if (members.length === 0) return;
    const existing = new Set(await this.#reader.existing(members));
    await allSettled(members.filter((member) => !existing.has(member)).map((member) => this.#writer.addMember(member)));
  }

  /**
   * Removes the members of an entry that is deleted or replaced.
   *
   * @param kept the entry that replaces it
   * @throws StoreFailure
   */
  async remove(entry: EntrySummary, kept?: EntrySummary): Promise<void> {
    const keptNames = new Set(kept && indexedUnder(kept));
    const names = indexedUnder(entry).filter((name) => !keptNames.has(name));
    await this.#folders.remove(await this.#reader.existing(this.#membersOf(entry.id, names)));
  }

  /** Returns the ids under a group or digest; their entries may be gone. @throws StoreFailure */
  async idsOf(name: string): Promise<string[]> {
    const folder = this.#layout.membersFolder(name);
    if (!(await this.#folders.has(folder))) return [];
    const members = (await this.#folders.namesIn(folder)).map((file) => memberOf(path.basename(folder), file));
    return members.flatMap((member) => (member?.name === name ? [member.id] : []));
  }

  #membersOf(id: string, names: readonly string[]): string[] {
    return names.map((name) => this.#layout.member(name, id));
  }
}

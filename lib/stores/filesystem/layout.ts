import { randomBytes } from 'node:crypto';
import * as path from 'node:path';

/**
 * The names in the cache's folder. Nothing is read, written or removed that does not match one of them exactly:
 *
 * - `responses_v1/ab/ID.json` (`.yaml`, `.bin`): an entry. The subfolder is the beginning of the id.
 * - `links_v1/ab/NAME.ID`: a member of the secondary index: an empty file whose name maps a group or digest to an id.
 * - `links_v1/empty`: the file that members of the index are hard links to.
 * - any of these with `.` and 12 hex digits and `.tmp` appended: a file that is being written or replaced. The digits of an
 *   entry that was taken away to be replaced begin with six zeros.
 */

/** Extensions of entries: text of the serializer of that name, or bytes. */
export const EXTENSIONS = ['.json', '.yaml', '.bin'] as const;
export type FileExtension = (typeof EXTENSIONS)[number];

/** The two folders, one for each version of the stored form. */
export type Part = 'responses_v1' | 'links_v1';
/** Entries first: a member of the index without an entry is harmless. */
export const PARTS: readonly Part[] = ['responses_v1', 'links_v1'];

const ID = '[0-9a-z]{64}(?:\\.[0-9a-z]{1,55})?';
const ENTRY = new RegExp(`^(${ID})(?:${EXTENSIONS.map((extension) => `\\${extension}`).join('|')})$`);
const MEMBER = new RegExp(`^([0-9a-z]{32,64})\\.(${ID})$`);
const TEMPORARY_END = /\.[0-9a-f]{12}\.tmp$/;
const EMPTY = 'empty';
const SUBFOLDER = /^[0-9a-z]{2}$/;

/** The path of each name in a cache's folder. */
export class FileLayout {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  entry(id: string, extension: FileExtension): string {
    return path.join(this.root, 'responses_v1', subfolderOf(id), id + extension);
  }

  /** @param name a group or a digest */
  member(name: string, id: string): string {
    return path.join(this.membersFolder(name), `${name}.${id}`);
  }

  /** The folder of all members under that name, and of others. */
  membersFolder(name: string): string {
    return path.join(this.root, 'links_v1', subfolderOf(name));
  }

  emptyFile(): string {
    return path.join(this.root, 'links_v1', EMPTY);
  }

  part(part: Part): string {
    return path.join(this.root, part);
  }
}

/** Returns an unpredictable name for a new file beside another. */
export function temporaryName(file: string): string {
  return `${file}.${randomBytes(6).toString('hex')}.tmp`;
}

/** Begins the digits of a file that was taken away to be replaced. */
const TAKEN = '000000';

/** Returns an unpredictable name for a file that is taken away, which {@link isTaken} recognizes. */
export function takenName(file: string): string {
  return `${file}.${TAKEN}${randomBytes(3).toString('hex')}.tmp`;
}

/** Whether a name is one of {@link takenName}. @param file the name of the file. Default: any */
export function isTaken(name: string, file = name.replace(TEMPORARY_END, '')): boolean {
  return name.startsWith(`${file}.${TAKEN}`) && TEMPORARY_END.test(name);
}

export function isSubfolder(name: string): boolean {
  return SUBFOLDER.test(name);
}

/** Returns the id of the entry that a file contains; undefined if the name is not one of an entry in that subfolder. */
export function idOfEntry(subfolder: string, name: string): string | undefined {
  return name.startsWith(subfolder) ? ENTRY.exec(name)?.[1] : undefined;
}

/** Returns group or digest, and id, of a member of the index; undefined if the name is not one of a member there. */
export function memberOf(subfolder: string, name: string): { readonly name: string; readonly id: string } | undefined {
  const [, from, id] = (name.startsWith(subfolder) && MEMBER.exec(name)) || [];
  return from !== undefined && id !== undefined ? { name: from, id } : undefined;
}

export function isMember(subfolder: string, name: string): boolean {
  return memberOf(subfolder, name) !== undefined;
}

/** Whether a name in a subfolder is one of a file that is being written. */
export function isTemporary(subfolder: string, name: string): boolean {
  return TEMPORARY_END.test(name) && idOfEntry(subfolder, name.replace(TEMPORARY_END, '')) !== undefined;
}

/** Whether a file beside the subfolders of the index is ours. */
export function isEmptyFile(name: string): boolean {
  return name.replace(TEMPORARY_END, '') === EMPTY;
}

function subfolderOf(name: string): string {
  return name.slice(0, 2);
}

import type { Collection, Db, Document, Filter, ObjectId } from 'mongodb';
import type { Entry } from '../../models/entry.js';
import { isBytes } from '../../platform/bytes.js';
import { batches } from '../concurrency.js';
import { type EntryFields, entryOf } from '../document-form.js';
import { classified, DUPLICATE_KEY } from '../mongodb/failures.js';
import { DIRECT, type FieldNames, indexesOf, NOT_COUNTED } from '../mongodb/filters.js';
import { failureKind } from '../store-failure.js';
import { unreadable } from '../stored-form.js';

/** A document of the bucket's `files`. A file of another origin may have any metadata, or none. */
export interface StoredFile extends Document {
  readonly _id: ObjectId;
  /** The cache's name and the entry's id. */
  readonly filename: string;
  /** Bytes of the body. */
  readonly length: number;
  readonly metadata?: FileMetadata | undefined;
}

interface FileMetadata extends EntryFields {
  readonly order: number;
  /** Number of the revision: of several files of one name, the highest counts. */
  readonly revision?: number;
  /** Token of the write until it is published. */
  readonly pending?: string;
  /** The id of the file that this one replaces, and no other. */
  readonly replaces?: ObjectId;
}

/** A file to be written. */
export type NewFile = Omit<StoredFile, '_id'> & { readonly metadata: FileMetadata };

export const FIELDS: FieldNames = { key: 'filename', entry: 'metadata' };
/** Bytes; the default of GridFS. */
const CHUNK_SIZE = 255 * 1024;
/** Chunks that are written by one command. */
const CHUNKS_AT_ONCE = 16;
/** Files of one name that are compared: the others have lower revisions. */
const MAX_REVISIONS = 100;
/** Difference between the revisions of a file and its replacement: after a million of them, the next write is still above. */
const REVISION_STEP = 2 ** -20;
/** Attempts to read a body that other processes replace meanwhile. */
const MAX_ATTEMPTS = 5;

export const PUBLISHED: Filter<Document> = { 'metadata.pending': { $exists: false } };
const FILE_INDEXES = [
  { key: { filename: 1, 'metadata.revision': -1 } },
  { key: { 'metadata.pending': 1 }, sparse: true },
  { key: { 'metadata.replaces': 1 }, sparse: true, unique: true },
  ...indexesOf(FIELDS),
] as const;

/** The two collections of a GridFS bucket, in the layout of the GridFS specification. */
export class Bucket {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  async prepare(db: Db): Promise<void> {
    await this.files(db).createIndexes([...FILE_INDEXES]);
    await this.#chunks(db).createIndex({ files_id: 1, n: 1 }, { unique: true });
  }

  files(db: Db): Collection<StoredFile> {
    return db.collection(`${this.#name}.files`, { promoteBuffers: true, enableUtf8Validation: false });
  }

  /** Reads the entry of a name; of kind `unknown` if its file has no chunks, or other chunks than were stored. */
  async read(db: Db, id: string, filename: string): Promise<Entry | undefined> {
    let failed: ObjectId | undefined;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const file = newest(await this.revisions(db, [filename]));
      if (!file) return undefined;
      const { head, size } = file.metadata ?? {};
      if (!isBytes(head)) return unreadable(id, Number(file.length) || 0);
      const entry = entryOf(id, { head, size, body: await this.#body(db, file._id) });
      if (entry.kind !== 'unknown' || failed?.equals(file._id)) return entry;
      // The file may have been replaced while its chunks were read.
      failed = file._id;
    }
    return undefined;
  }

  /** Returns the published files of these names. */
  revisions(db: Db, filenames: readonly string[]): Promise<StoredFile[]> {
    return this.files(db)
      .find({ filename: { $in: [...filenames] }, ...PUBLISHED })
      .sort({ filename: 1, 'metadata.revision': -1 })
      .limit(MAX_REVISIONS * filenames.length)
      .toArray();
  }

  /** Writes files before their chunks, so that the remains of an interrupted write can be found. */
  async write(db: Db, files: readonly NewFile[], bodies: readonly Buffer[]): Promise<readonly ObjectId[]> {
    const { insertedIds } = await this.files(db).insertMany(
      files.map((file) => ({ ...file, chunkSize: CHUNK_SIZE })) as unknown as StoredFile[],
    );
    const ids = files.map((_, index) => insertedIds[index] as ObjectId);
    const chunks = ids.flatMap((id, index) => chunksOf(id, bodies[index]));
    try {
      for (const batch of batches(chunks, CHUNKS_AT_ONCE)) await this.#chunks(db).insertMany([...batch]);
    } catch (error) {
      // A server that refuses more chunks keeps those that it has.
      const failure = classified(error, 'write');
      if (failureKind(failure) !== 'outage') await this.remove(db, ids).catch(() => {});
      throw failure;
    }
    return ids;
  }

  /** Publishes a pending file; false if it is gone, or if another one replaces the same file. */
  async publishInPlaceOf(db: Db, id: ObjectId, token: string, previous: StoredFile): Promise<boolean> {
    const pending = { _id: id, 'metadata.pending': token } as Filter<StoredFile>;
    const published = { 'metadata.revision': betweenRevision(previous), 'metadata.replaces': previous._id };
    try {
      const update = { $set: published, $unset: { 'metadata.pending': '' } } as Document;
      return (await this.files(db).updateOne(pending, update)).matchedCount > 0;
    } catch (error) {
      if ((error as { code?: unknown }).code !== DUPLICATE_KEY) throw error;
      return false;
    }
  }

  /** Deletes files with their chunks; resolves to the number of files that existed. */
  async remove(db: Db, ids: readonly ObjectId[]): Promise<number> {
    if (ids.length === 0) return 0;
    // A reader that misses chunks then finds the file gone.
    const { deletedCount } = await this.files(db).deleteMany({ _id: { $in: [...ids] } });
    await this.#chunks(db).deleteMany({ files_id: { $in: [...ids] } });
    return deletedCount;
  }

  /** Deletes published files that newer ones of these names replace; resolves to their number. */
  async removeReplaced(db: Db, filenames: readonly string[]): Promise<number> {
    const files = await this.revisions(db, filenames);
    const byName = (name: string) => files.filter(({ filename }) => filename === name);
    const kept = new Set(filenames.map((name) => newest(byName(name))?._id));
    return this.remove(
      db,
      files.flatMap(({ _id }) => (kept.has(_id) ? [] : [_id])),
    );
  }

  /** Returns the ids of files that have chunks, in order, after an id; of that number of chunks. */
  async chunkedFiles(db: Db, after: ObjectId | undefined, chunks: number): Promise<readonly ObjectId[]> {
    const range = { files_id: { $type: 'objectId', ...(after === undefined ? {} : { $gt: after }) } };
    const projection = { _id: 0, files_id: 1 };
    const page = this.#chunks(db).find(range, { projection }).sort({ files_id: 1, n: 1 }).limit(chunks);
    const ids = (await page.toArray()).map(({ files_id }) => files_id as ObjectId);
    return ids.filter((id, index) => index === 0 || !ids[index - 1]?.equals(id));
  }

  /** Deletes the chunks of those of the files that do not exist. */
  async removeChunksWithoutFile(db: Db, ids: readonly ObjectId[]): Promise<void> {
    if (ids.length === 0) return;
    // Another member of a replica set may not know a file yet.
    const options = { projection: { _id: 1 }, readPreference: 'primary' } as const;
    const present = await this.files(db)
      .find({ _id: { $in: [...ids] } }, options)
      .toArray();
    const existing = new Set(present.map(({ _id }) => String(_id)));
    const without = ids.filter((id) => !existing.has(String(id)));
    if (without.length > 0) await this.#chunks(db).deleteMany({ files_id: { $in: without } });
  }

  /** Bytes of both collections. */
  async size(db: Db): Promise<number> {
    const stats = await Promise.all(
      ['files', 'chunks'].map((part) => db.command({ collStats: `${this.#name}.${part}` })),
    );
    return stats.reduce((sum, { size }) => sum + Number(size ?? 0), 0);
  }

  async #body(db: Db, id: ObjectId): Promise<Buffer> {
    const chunks = await this.#chunks(db).find({ files_id: id }).sort({ n: 1 }).toArray();
    return Buffer.concat(chunks.map(({ data }) => (isBytes(data) ? data : Buffer.alloc(0))));
  }

  #chunks(db: Db): Collection<Document> {
    return db.collection(`${this.#name}.chunks`, { promoteBuffers: true });
  }
}

/** Returns the file that counts: no redirect replaces a direct response, and of equals every process chooses the same. */
export function newest(files: readonly StoredFile[]): StoredFile | undefined {
  return files.reduce<StoredFile | undefined>((best, file) => (best && !isNewer(file, best) ? best : file), undefined);
}

/** Returns the number of the next revision. */
export function nextRevision(files: readonly StoredFile[]): number {
  return Math.floor(Math.max(0, ...files.map(revisionOf))) + 1;
}

/** Returns the number of a revision above that of a file, and below those of writers that knew that file alone. */
function betweenRevision(file: StoredFile): number {
  return revisionOf(file) + REVISION_STEP;
}

/** Returns whether counts include a file, by its fields. */
export function isCountedFile({ metadata }: StoredFile): boolean {
  return !NOT_COUNTED.includes(String(metadata?.kind));
}

/** Returns whether a file is a response or a variant marker, by its fields. */
function isDirectFile({ metadata }: StoredFile): boolean {
  return DIRECT.includes(String(metadata?.kind));
}

function isNewer(one: StoredFile, other: StoredFile): boolean {
  if (isDirectFile(one) !== isDirectFile(other)) return isDirectFile(one);
  const difference = revisionOf(one) - revisionOf(other);
  return difference === 0 ? String(one._id) > String(other._id) : difference > 0;
}

function revisionOf({ metadata }: StoredFile): number {
  return Number.isFinite(metadata?.revision) ? (metadata?.revision as number) : 0;
}

function chunksOf(id: ObjectId, body: Buffer | undefined): Document[] {
  const count = Math.ceil((body?.byteLength ?? 0) / CHUNK_SIZE);
  return Array.from({ length: count }, (_, n) => ({
    files_id: id,
    n,
    data: body?.subarray(n * CHUNK_SIZE, (n + 1) * CHUNK_SIZE),
  }));
}

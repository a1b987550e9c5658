import { randomUUID } from 'node:crypto';
import type { Db, Document, Filter } from 'mongodb';
import type { Entry } from '../../models/entry.js';
import { bufferOf, isBytes } from '../../platform/bytes.js';
import { fieldsOf } from '../document-form.js';
import type { InvalidationOrder } from '../mongodb/invalidation-order.js';
import { packSummary } from '../stored-form.js';
import { type Bucket, type NewFile, newest, nextRevision, type StoredFile } from './bucket.js';

/** Writes entries as files that are pending until the store has looked for invalidations (docs/decisions/0021). */
export class FileWrites {
  readonly #bucket: Bucket;
  readonly #order: InvalidationOrder;
  readonly #prefix: string;
  readonly #now: () => number;

  constructor(bucket: Bucket, order: InvalidationOrder, prefix: string, now: () => number) {
    this.#bucket = bucket;
    this.#order = order;
    this.#prefix = prefix;
    this.#now = now;
  }

  /** Writes entries, as `Store.put`. */
  async put(db: Db, entries: readonly Entry[]): Promise<boolean> {
    const token = randomUUID();
    const files = entries.map((entry) => this.#newFile(entry, token));
    const filenames = files.map(({ filename }) => filename);
    const ids = await this.#bucket.write(
      db,
      files,
      entries.map(({ body }) => bufferOf(body)),
    );
    const [outOfDate, present] = await Promise.all([
      this.#order.isOutOfDate(db, entries),
      this.#bucket.revisions(db, filenames),
    ]);
    if (outOfDate) {
      await this.#bucket.remove(db, ids);
      return false;
    }
    const { matchedCount } = await this.#bucket.files(db).bulkWrite(
      files.map(({ filename }, index) => ({
        updateOne: {
          filter: { _id: ids[index], 'metadata.pending': token } as Filter<StoredFile>,
          update: {
            $set: { 'metadata.revision': nextRevision(present.filter((file) => file.filename === filename)) },
            $unset: { 'metadata.pending': '' },
          } as Document,
        },
      })),
    );
    await this.#bucket.removeReplaced(db, filenames);
    if (matchedCount === files.length) return true;
    // A missing file was deleted by an invalidation, or by another process in favor of a newer one; perhaps before its
    // last chunks were written.
    await this.#bucket.removeChunksWithoutFile(db, ids);
    return !(await this.#order.isOutOfDate(db, entries));
  }

  /**
   * Replaces an entry, as `Store.replace`. Of several files that replace the same one, a unique index permits one. A file
   * of another write has a higher revision, so that it counts in any case.
   */
  async replace(db: Db, entry: Entry, replacement: Entry): Promise<boolean> {
    const filename = this.#prefix + entry.id;
    const previous = newest(await this.#bucket.revisions(db, [filename]));
    const head = previous?.metadata?.head;
    if (!previous || !isBytes(head) || !packSummary(entry).equals(head)) return false;
    const token = randomUUID();
    const [id] = await this.#bucket.write(db, [this.#newFile(replacement, token)], [bufferOf(replacement.body)]);
    if (!id) return false;
    if (await this.#bucket.publishInPlaceOf(db, id, token, previous)) {
      const counts = newest(await this.#bucket.revisions(db, [filename]))?._id.equals(id);
      // A previous file that is gone was deleted, or replaced by another write.
      if (counts && (await this.#bucket.remove(db, [previous._id])) > 0) return true;
    }
    await this.#bucket.remove(db, [id]);
    return false;
  }

  #newFile(entry: Entry, token: string): NewFile {
    return {
      filename: this.#prefix + entry.id,
      length: entry.body.byteLength,
      uploadDate: new Date(this.#now()),
      metadata: { ...fieldsOf(entry), order: entry.order, pending: token },
    };
  }
}

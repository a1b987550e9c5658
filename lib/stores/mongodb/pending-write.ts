import { randomUUID } from 'node:crypto';
import type { AnyBulkWriteOperation, Collection, Document, Filter } from 'mongodb';
import type { Entry } from '../../models/entry.js';
import { bufferOf } from '../../platform/bytes.js';
import { fieldsOf } from '../document-form.js';
import { isDirect } from '../entry-query.js';
import { DIRECT } from './filters.js';
import { MAX_ENTRY } from './traits.js';

/** An entry with the other fields of its document. */
export interface NewDocument {
  readonly key: string;
  readonly entry: Entry;
  /** When the server deletes the document; `null`: never. */
  readonly expiresAt: Date | null;
}

/** Milliseconds after which the server deletes a document that was never published. */
const UNPUBLISHED_LIFETIME = 24 * 60 * 60 * 1000;

/** Selects documents that readers may see. */
export const PUBLISHED: Filter<Document> = { unpublished: { $exists: false } };
const NOT_DIRECT: Filter<Document> = { 'value.kind': { $nin: DIRECT } };
const PUBLISH = { $rename: { next: 'value', nextExpiresAt: 'expiresAt' }, $unset: { unpublished: '' } };

/**
 * A write in steps (docs/decisions/0021): entries are pending in the field `next` of their documents, beside the published
 * `value`, which they then replace.
 */
export class PendingWrite {
  readonly #collection: Collection<Document>;
  readonly #documents: readonly NewDocument[];
  readonly #token = randomUUID();

  constructor(collection: Collection<Document>, documents: readonly NewDocument[]) {
    this.#collection = collection;
    this.#documents = documents;
  }

  /** Writes the pending entries. */
  async begin(): Promise<void> {
    await this.#collection.bulkWrite(this.#documents.flatMap((document) => commandsOf(document, this.#token)));
  }

  /** Publishes the entries; resolves to whether every response and variant marker was still pending. */
  async publish(): Promise<boolean> {
    const direct = this.#documents.filter(({ entry }) => isDirect(entry));
    const { matchedCount } = await this.#collection.updateMany(this.#own(direct), PUBLISH);
    if (direct.length < this.#documents.length) {
      const redirects = this.#documents.filter(({ entry }) => !isDirect(entry));
      await this.#collection.updateMany({ ...this.#own(redirects), ...NOT_DIRECT }, PUBLISH);
      await this.withdraw();
    }
    return matchedCount === direct.length;
  }

  /** Removes the entries that are still pending. */
  withdraw(): Promise<void> {
    return withdraw(this.#collection, this.#own(this.#documents));
  }

  #own(documents: readonly NewDocument[]): Filter<Document> {
    return { key: { $in: documents.map(({ key }) => key) }, 'next.token': this.#token };
  }
}

/** Removes pending entries, and their documents if nothing was published. */
export async function withdraw(collection: Collection<Document>, pending: Filter<Document>): Promise<void> {
  await collection.deleteMany({ ...pending, unpublished: true });
  await collection.updateMany(pending, { $unset: { next: '', nextExpiresAt: '' } });
}

/** Returns the commands that write an entry beside the published one. */
function commandsOf({ key, entry, expiresAt }: NewDocument, token: string): AnyBulkWriteOperation<Document>[] {
  const next = { ...fieldsOf(entry), order: entry.order, token, body: bufferOf(entry.body) };
  const update = { $set: { next, nextExpiresAt: expiresAt } };
  const unpublished = { unpublished: true, expiresAt: new Date(Date.now() + UNPUBLISHED_LIFETIME) };
  if (!isDirect(entry)) {
    return [
      { updateOne: { filter: { key }, update: { $setOnInsert: unpublished }, upsert: true } },
      { updateOne: { filter: { key, ...NOT_DIRECT, 'next.kind': { $nin: DIRECT } }, update } },
    ];
  }
  // A document has no room for two large entries.
  const tooLarge = { key, 'value.size': { $gt: MAX_ENTRY - entry.size } };
  return [
    { updateOne: { filter: tooLarge, update: { $set: unpublished, $unset: { value: '' } } } },
    { updateOne: { filter: { key }, update: { ...update, $setOnInsert: unpublished }, upsert: true } },
  ];
}

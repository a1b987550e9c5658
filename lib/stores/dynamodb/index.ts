import type { Entry, EntrySummary } from '../../models/entry.js';
import { bytes, entryOf, fieldsOf, summaryOf } from '../document-form.js';
import { batches, counts, fits, putInTurn, withMembers } from '../entry-query.js';
import { LINK_PARTS, leadingTo, linkPart } from '../secondary-index.js';
import type { EntryQuery, Store } from '../store.js';
import { DynamoDbTable, type DynamoDbTableOptions, type Projection, READ_BATCH } from './table.js';

export interface DynamoDbStoreOptions extends DynamoDbTableOptions {
  /** Made on demand. Default: the cache's name. */
  readonly table?: string | undefined;
  /** Seconds that an entry is kept after it expired; the server then lets it go. Default: for ever. */
  readonly retention?: number | undefined;
}

/** What a condition that does not hold fails with. */
const REFUSED = 'ConditionalCheckFailedException';
/** DynamoDB's own limit, in bytes, less what is beside the entry. */
const MAX_ITEM = 400 * 1024 - 2 * 1024;
const NAME: Projection = { expression: '#id', names: { '#id': 'id' } };
const LINK: Projection = { expression: '#id, ids', names: { '#id': 'id' } };
/** All of a row but its body. */
const SUMMARY: Projection = {
  expression: '#id, #value.#head, #value.#size',
  names: { '#id': 'id', '#value': 'value', '#head': 'head', '#size': 'size' },
};

/**
 * Entries in DynamoDB, in the table and on the client of @keyv/dynamo, whose own operations expire everything after six
 * hours and lose what is beyond a batch. Beside the rows stand items that lead from groups and URL digests to ids: sets
 * that the server adds to by itself, so that no list is read and written back.
 */
export class DynamoDbStore implements Store {
  readonly name = 'dynamodb';
  readonly maxEntrySize = MAX_ITEM;
  readonly #table: DynamoDbTable;
  readonly #rows: string;
  readonly #links: string;
  readonly #leases: string;
  readonly #retention: number;
  readonly #now: () => number;

  constructor(cacheName: string, options: DynamoDbStoreOptions, now: () => number) {
    const { table = cacheName, retention, ...connection } = options;
    this.#table = new DynamoDbTable(table, connection, retention !== undefined);
    this.#retention = (retention ?? Number.POSITIVE_INFINITY) * 1000;
    this.#rows = `${cacheName}:r:`;
    this.#links = `${cacheName}:l:`;
    this.#leases = `${cacheName}:s:`;
    this.#now = now;
  }

  async find(id: string): Promise<Entry | undefined> {
    const client = await this.#table.open();
    const { Item } = await client.get({ TableName: this.#table.name, Key: { id: this.#rows + id } });
    return Item ? entryOf(id, Item.value) : undefined;
  }

  async put(entries: readonly Entry[]): Promise<boolean> {
    return putInTurn(this, entries, (entry) => this.#putOne(entry));
  }

  async #putOne(entry: Entry): Promise<void> {
    const client = await this.#table.open();
    const kept = this.#retention + entry.staleAt - this.#now();
    // By the server's clock rather than ours: only the length of time is told.
    const expiresAt = Number.isFinite(kept) ? Math.ceil((Date.now() + kept) / 1000) : undefined;
    // Before the row: a link that leads nowhere harms less than a row that nothing leads to.
    await Promise.all(leadingTo(entry).map((from) => this.#link(from, entry.id, expiresAt)));
    await client.put({
      TableName: this.#table.name,
      Item: {
        id: this.#rows + entry.id,
        value: { ...fieldsOf(entry), body: bytes(entry.body) },
        ...(expiresAt === undefined ? {} : { expiresAt }),
      },
    });
  }

  async deleteGroups(ids: readonly string[]): Promise<number> {
    return this.delete(await withMembers(this, ids));
  }

  async delete(ids: readonly string[]): Promise<number> {
    let dropped = 0;
    for (const batch of batches(ids, READ_BATCH)) {
      const found = await this.#summaries(batch);
      await Promise.all(found.flatMap((entry) => leadingTo(entry).map((from) => this.#unlink(from, entry.id))));
      await this.#table.deleteItems(found.map(({ id }) => this.#rows + id));
      dropped += found.filter(counts).length;
    }
    return dropped;
  }

  async *list(query: EntryQuery = {}): AsyncGenerator<EntrySummary> {
    for await (const entry of this.#candidates(query)) if (fits(entry, query)) yield entry;
  }

  async *clear(): AsyncGenerator<unknown> {
    for (const prefix of [this.#rows, this.#links, this.#leases]) {
      for await (const items of this.#table.scan(prefix, NAME)) {
        yield await this.#table.deleteItems(items.map(({ id }) => String(id)));
      }
    }
  }

  async acquireLease(name: string, holder: string, seconds: number): Promise<boolean> {
    const client = await this.#table.open();
    const now = this.#now();
    const until = Math.round(now + seconds * 1000);
    return unlessRefused(
      client.put({
        TableName: this.#table.name,
        Item: { id: this.#leases + name, holder, until, expiresAt: Math.ceil((Date.now() + seconds * 1000) / 1000) },
        ConditionExpression: 'attribute_not_exists(id) OR holder = :holder OR #until <= :now',
        ExpressionAttributeNames: { '#until': 'until' },
        ExpressionAttributeValues: { ':holder': holder, ':now': now },
      }),
    );
  }

  async releaseLease(name: string, holder: string): Promise<void> {
    const client = await this.#table.open();
    const held = { ConditionExpression: 'holder = :holder', ExpressionAttributeValues: { ':holder': holder } };
    await unlessRefused(client.delete({ TableName: this.#table.name, Key: { id: this.#leases + name }, ...held }));
  }

  async ready(): Promise<void> {
    const client = await this.#table.open();
    await client.get({ TableName: this.#table.name, Key: { id: `${this.#rows}ready` } });
  }

  close(): Promise<void> {
    return this.#table.close();
  }

  /**
   * Adds an id to what a group or a digest leads to, which lives as long as the longest of what it led to.
   *
   * @param expiresAt seconds since the epoch; undefined for ever
   */
  async #link(from: string, id: string, expiresAt: number | undefined): Promise<void> {
    const client = await this.#table.open();
    const values = { ':ids': new Set([id]) };
    const add = (UpdateExpression: string, more: object = {}) =>
      client.update({
        TableName: this.#table.name,
        Key: this.#linkTo(from, id),
        UpdateExpression,
        ExpressionAttributeValues: values,
        ...more,
      });
    const isLonger = {
      ConditionExpression: 'attribute_not_exists(id) OR expiresAt < :expiresAt',
      ExpressionAttributeValues: { ...values, ':expiresAt': expiresAt },
    };
    if (expiresAt === undefined) await add('ADD ids :ids REMOVE expiresAt');
    else if (!(await unlessRefused(add('ADD ids :ids SET expiresAt = :expiresAt', isLonger))))
      await add('ADD ids :ids');
  }

  /** Takes an id away, and the item with the last one. */
  async #unlink(from: string, id: string): Promise<void> {
    const client = await this.#table.open();
    const link = { TableName: this.#table.name, Key: this.#linkTo(from, id) };
    const { Attributes } = await client.update({
      ...link,
      UpdateExpression: 'DELETE ids :ids',
      ExpressionAttributeValues: { ':ids': new Set([id]) },
      ReturnValues: 'ALL_NEW',
    });
    if (Attributes?.ids) return;
    await unlessRefused(client.delete({ ...link, ConditionExpression: 'attribute_not_exists(ids)' }));
  }

  #linkTo(from: string, id: string): { readonly id: string } {
    return { id: `${this.#links}${from}:${linkPart(id)}` };
  }

  async *#candidates({ group, index: url }: EntryQuery): AsyncGenerator<EntrySummary> {
    if (group !== undefined) {
      yield* await this.#summaries([group]);
      yield* this.#linked(group);
    } else if (url !== undefined) yield* this.#linked(url);
    else {
      for await (const items of this.#table.scan(this.#rows, SUMMARY)) yield* items.map((item) => this.#summary(item));
    }
  }

  async *#linked(from: string): AsyncGenerator<EntrySummary> {
    const keys = LINK_PARTS.map((part) => `${this.#links}${from}:${part}`);
    const links = await this.#table.getItems(keys, LINK);
    const ids = links.flatMap((link) => [...((link.ids as Set<string> | undefined) ?? [])]);
    for (const batch of batches(ids, READ_BATCH)) yield* await this.#summaries(batch);
  }

  async #summaries(ids: readonly string[]): Promise<EntrySummary[]> {
    const keys = ids.map((id) => this.#rows + id);
    return (await this.#table.getItems(keys, SUMMARY)).map((item) => this.#summary(item));
  }

  #summary({ id, value }: Readonly<Record<string, unknown>>): EntrySummary {
    return summaryOf(String(id).slice(this.#rows.length), value as object);
  }
}

/** False where the condition of a write did not hold. */
async function unlessRefused(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if ((error as Error).name === REFUSED) return false;
    throw error;
  }
}

import type { Entry, EntrySummary } from '../models/entry.js';
import { DynamoDbTable, type DynamoDbTableOptions, type Projection, READ_BATCH } from './dynamodb-table.js';
import { bytes, entryOf, fieldsOf, summaryOf } from './fields.js';
import { batches, countListed, counts, fits } from './query.js';
import type { EntryQuery, Store } from './store.js';

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
/** Of a link's set, since an item holds but some 5,000 names. */
const LINK_PARTS = [...'0123456789abcdef'];
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
  readonly passes = true;
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

  async put(entry: Entry): Promise<void> {
    const client = await this.#table.open();
    // Before the row: a link that leads nowhere harms less than a row that nothing leads to.
    await Promise.all(linksOf(entry).map((from) => this.#link('ADD', from, entry.id)));
    const kept = this.#retention + entry.expires - this.#now();
    await client.put({
      TableName: this.#table.name,
      Item: {
        id: this.#rows + entry.id,
        value: { ...fieldsOf(entry), body: bytes(entry.body) },
        // By the server's clock rather than ours: only the length of time is told.
        ...(Number.isFinite(kept) ? { expiresAt: Math.ceil((Date.now() + kept) / 1000) } : {}),
      },
    });
  }

  async drop(ids: readonly string[]): Promise<number> {
    const members: string[] = [];
    for (const id of ids) for await (const entry of this.#linked(id)) if (entry.group === id) members.push(entry.id);
    return this.dropExact([...new Set([...ids, ...members])]);
  }

  async dropExact(ids: readonly string[]): Promise<number> {
    let dropped = 0;
    for (const batch of batches(ids, READ_BATCH)) {
      const found = await this.#summaries(batch);
      await Promise.all(found.flatMap((entry) => linksOf(entry).map((from) => this.#link('DELETE', from, entry.id))));
      await this.#table.deleteItems(found.map(({ id }) => this.#rows + id));
      dropped += found.filter(counts).length;
    }
    return dropped;
  }

  async *list(query: EntryQuery = {}): AsyncGenerator<EntrySummary> {
    for await (const entry of this.#candidates(query)) if (fits(entry, query)) yield entry;
  }

  count(query: EntryQuery = {}): Promise<number> {
    return countListed(this.list(query), query);
  }

  async purge(now: number): Promise<number> {
    let purged = 0;
    for await (const { id, kind } of this.list({ expiredBy: now })) {
      if (kind !== 'unknown') purged += await this.dropExact([id]);
    }
    return purged;
  }

  async clear(): Promise<void> {
    for (const prefix of [this.#rows, this.#links, this.#leases]) {
      for await (const items of this.#table.scan(prefix, NAME)) {
        await this.#table.deleteItems(items.map(({ id }) => String(id)));
      }
    }
  }

  async claim(name: string, holder: string, seconds: number): Promise<boolean> {
    const client = await this.#table.open();
    const now = this.#now();
    const until = Math.round(now + seconds * 1000);
    try {
      await client.put({
        TableName: this.#table.name,
        Item: { id: this.#leases + name, holder, until, expiresAt: Math.ceil((Date.now() + seconds * 1000) / 1000) },
        ConditionExpression: 'attribute_not_exists(id) OR holder = :holder OR #until <= :now',
        ExpressionAttributeNames: { '#until': 'until' },
        ExpressionAttributeValues: { ':holder': holder, ':now': now },
      });
      return true;
    } catch (error) {
      if ((error as Error).name === REFUSED) return false;
      throw error;
    }
  }

  async release(name: string, holder: string): Promise<void> {
    const client = await this.#table.open();
    const held = { ConditionExpression: 'holder = :holder', ExpressionAttributeValues: { ':holder': holder } };
    await client
      .delete({ TableName: this.#table.name, Key: { id: this.#leases + name }, ...held })
      .catch((error: unknown) => {
        if ((error as Error).name !== REFUSED) throw error;
      });
  }

  async ready(): Promise<void> {
    const client = await this.#table.open();
    await client.get({ TableName: this.#table.name, Key: { id: `${this.#rows}ready` } });
  }

  close(): Promise<void> {
    return this.#table.close();
  }

  /** Adds an id to what a group or a digest leads to, or takes it away. */
  async #link(action: 'ADD' | 'DELETE', from: string, id: string): Promise<void> {
    const client = await this.#table.open();
    await client.update({
      TableName: this.#table.name,
      Key: { id: `${this.#links}${from}:${partOf(id)}` },
      UpdateExpression: `${action} ids :ids`,
      ExpressionAttributeValues: { ':ids': new Set([id]) },
    });
  }

  async *#candidates({ group, url }: EntryQuery): AsyncGenerator<EntrySummary> {
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

function linksOf({ group, id, urls }: EntrySummary): string[] {
  return [...(group === id ? [] : [group]), ...urls];
}

/** A hexadecimal digit of a name, spread evenly also where names begin alike, as a key's variants do. */
function partOf(id: string): string {
  return id.at(-1) ?? '0';
}

import type { DynamoDB } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocument, ScanCommandOutput } from '@aws-sdk/lib-dynamodb';
import { loadBeneath, loadClient } from '../load-client.js';
import type { Entry, EntrySummary } from '../models/entry.js';
import { bytes, entryOf, fieldsOf, summaryOf } from './fields.js';
import { batches, countListed, counts, fits } from './query.js';
import type { EntryQuery, Store } from './store.js';

export interface DynamoDbStoreOptions {
  /** Default: what the AWS SDK finds. */
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  /** Default: what the AWS SDK finds. */
  readonly credentials?: object | undefined;
  /** What the AWS SDK's `DynamoDB` takes, in its units. */
  readonly clientOptions?: object | undefined;
  /** Made on demand. Default: the cache's name. */
  readonly table?: string | undefined;
  /** Seconds that an entry is kept after it expired; the server then lets it go. Default: for ever. */
  readonly retention?: number | undefined;
}

interface KeyvDynamoModule {
  readonly KeyvDynamo: new (
    options: object,
  ) => { readonly client: DynamoDBDocument; on(event: 'error', listener: (error: unknown) => void): unknown };
}

const WHAT = 'backend "dynamodb"';

interface SdkModule {
  readonly DynamoDB: new (options: object) => DynamoDB;
}

/** What a condition that does not hold fails with. */
const REFUSED = 'ConditionalCheckFailedException';
/** DynamoDB's own limits. */
const MAX_ITEM = 400 * 1024 - 2 * 1024;
const READ_BATCH = 100;
const WRITE_BATCH = 25;
/** Of a link's set, since an item holds but some 5,000 names. */
const LINK_PARTS = [...'0123456789abcdef'];
/** Milliseconds: what makes the SDK fail fast and come back by itself. */
const FAIL_FAST = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 500, requestTimeout: 10_000, throwOnRequestTimeout: true },
};
/** Milliseconds between two looks at a table that is being made. */
const TABLE_POLL = 100;
/** Milliseconds before what the server has not processed is sent again: at first, and at most. */
const FIRST_PAUSE = 20;
const LAST_PAUSE = 1_000;

/**
 * Entries in DynamoDB, in the table and on the client of @keyv/dynamo, whose own operations expire everything after six
 * hours and lose what is beyond a batch. Beside the rows stand items that lead from groups and URL digests to ids: sets
 * that the server adds to by itself, so that no list is read and written back.
 */
export class DynamoDbStore implements Store {
  readonly name = 'dynamodb';
  readonly maxEntrySize = MAX_ITEM;
  readonly #table: string;
  readonly #rows: string;
  readonly #links: string;
  readonly #leases: string;
  readonly #options: DynamoDbStoreOptions;
  readonly #now: () => number;
  #opening: Promise<DynamoDBDocument> | undefined;

  constructor(cacheName: string, options: DynamoDbStoreOptions, now: () => number) {
    this.#table = options.table ?? cacheName;
    this.#rows = `${cacheName}:r:`;
    this.#links = `${cacheName}:l:`;
    this.#leases = `${cacheName}:s:`;
    this.#options = options;
    this.#now = now;
  }

  async find(id: string): Promise<Entry | undefined> {
    const client = await this.#open();
    const { Item } = await client.get({ TableName: this.#table, Key: { id: this.#rows + id } });
    return Item ? entryOf(id, Item.value) : undefined;
  }

  async put(entry: Entry): Promise<void> {
    const client = await this.#open();
    // Before the row: a link that leads nowhere harms less than a row that nothing leads to.
    await Promise.all(linksOf(entry).map((from) => this.#link(client, 'ADD', from, entry.id)));
    const kept = (this.#options.retention ?? Number.POSITIVE_INFINITY) * 1000 + entry.expires - this.#now();
    await client.put({
      TableName: this.#table,
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
    const client = await this.#open();
    let dropped = 0;
    for (const batch of batches(ids, READ_BATCH)) {
      const found = await this.#summaries(client, batch);
      await Promise.all(
        found.flatMap((entry) => linksOf(entry).map((from) => this.#link(client, 'DELETE', from, entry.id))),
      );
      await this.#deleteItems(
        client,
        found.map(({ id }) => this.#rows + id),
      );
      dropped += found.filter(counts).length;
    }
    return dropped;
  }

  async *list(query: EntryQuery = {}): AsyncGenerator<EntrySummary> {
    for await (const entry of this.#candidates(query)) if (fits(entry, query)) yield entry;
  }

  count(query: EntryQuery = {}): Promise<number> {
    return countListed(this, query);
  }

  async purge(now: number): Promise<number> {
    let purged = 0;
    for await (const { id, kind } of this.list({ expiredBy: now })) {
      if (kind !== 'unknown') purged += await this.dropExact([id]);
    }
    return purged;
  }

  async clear(): Promise<void> {
    const client = await this.#open();
    for (const prefix of [this.#rows, this.#links, this.#leases]) {
      for await (const items of this.#scan(client, prefix, 'id')) {
        await this.#deleteItems(
          client,
          items.map(({ id }) => String(id)),
        );
      }
    }
  }

  async claim(name: string, holder: string, seconds: number): Promise<boolean> {
    const client = await this.#open();
    const now = this.#now();
    const until = Math.round(now + seconds * 1000);
    try {
      await client.put({
        TableName: this.#table,
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
    const client = await this.#open();
    const held = { ConditionExpression: 'holder = :holder', ExpressionAttributeValues: { ':holder': holder } };
    await client
      .delete({ TableName: this.#table, Key: { id: this.#leases + name }, ...held })
      .catch((error: unknown) => {
        if ((error as Error).name !== REFUSED) throw error;
      });
  }

  async ready(): Promise<void> {
    const client = await this.#open();
    await client.get({ TableName: this.#table, Key: { id: `${this.#rows}ready` } });
  }

  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    await opening?.then(
      // A document client's own `destroy` does nothing: what it was made from holds the sockets.
      (client) => client.config.requestHandler.destroy?.(),
      () => {},
    );
  }

  #open(): Promise<DynamoDBDocument> {
    this.#opening ??= this.#connect().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #connect(): Promise<DynamoDBDocument> {
    const { clientOptions, endpoint, region, credentials } = this.#options;
    const named = Object.entries({ endpoint, region, credentials }).filter(([, value]) => value !== undefined);
    const options = { ...FAIL_FAST, ...clientOptions, ...Object.fromEntries(named) };
    const sdk = await loadBeneath<SdkModule>('@keyv/dynamo', '@aws-sdk/client-dynamodb', WHAT);
    await ensureTable(new sdk.DynamoDB(options), this.#table, this.#options.retention !== undefined);
    const { KeyvDynamo } = await loadClient<KeyvDynamoModule>('@keyv/dynamo', WHAT);
    const adapter = new KeyvDynamo({ ...options, tableName: this.#table });
    // It looks for the table once more; an error without a listener would end the process.
    adapter.on('error', () => {});
    return adapter.client;
  }

  /** Adds an id to what a group or a digest leads to, or takes it away. */
  async #link(client: DynamoDBDocument, action: 'ADD' | 'DELETE', from: string, id: string): Promise<void> {
    await client.update({
      TableName: this.#table,
      Key: { id: `${this.#links}${from}:${partOf(id)}` },
      UpdateExpression: `${action} ids :ids`,
      ExpressionAttributeValues: { ':ids': new Set([id]) },
    });
  }

  async *#candidates({ group, url }: EntryQuery): AsyncGenerator<EntrySummary> {
    const client = await this.#open();
    if (group !== undefined) {
      yield* await this.#summaries(client, [group]);
      yield* this.#linked(group);
    } else if (url !== undefined) yield* this.#linked(url);
    else {
      for await (const items of this.#scan(client, this.#rows, SUMMARY)) {
        for (const { id, value } of items) yield summaryOf(String(id).slice(this.#rows.length), value);
      }
    }
  }

  async *#linked(from: string): AsyncGenerator<EntrySummary> {
    const client = await this.#open();
    const keys = LINK_PARTS.map((part) => `${this.#links}${from}:${part}`);
    const links = await this.#getItems(client, keys, '#id, ids', { '#id': 'id' });
    for (const batch of batches(
      links.flatMap(({ ids }) => [...((ids as Set<string> | undefined) ?? [])]),
      READ_BATCH,
    )) {
      yield* await this.#summaries(client, batch);
    }
  }

  async #summaries(client: DynamoDBDocument, ids: readonly string[]): Promise<EntrySummary[]> {
    const keys = ids.map((id) => this.#rows + id);
    const items = await this.#getItems(client, keys, SUMMARY, NAMES);
    return items.map(({ id, value }) => summaryOf(String(id).slice(this.#rows.length), value as object));
  }

  async #getItems(
    client: DynamoDBDocument,
    keys: readonly string[],
    projection: string,
    names: Record<string, string>,
  ): Promise<Record<string, unknown>[]> {
    const found: Record<string, unknown>[] = [];
    for (const batch of batches([...new Set(keys)], READ_BATCH)) {
      const asked = { ProjectionExpression: projection, ExpressionAttributeNames: names };
      await untilProcessed({ [this.#table]: { ...asked, Keys: batch.map((id) => ({ id })) } }, async (RequestItems) => {
        const { Responses, UnprocessedKeys } = await client.batchGet({ RequestItems });
        found.push(...(Responses?.[this.#table] ?? []));
        return UnprocessedKeys as typeof RequestItems | undefined;
      });
    }
    return found;
  }

  async #deleteItems(client: DynamoDBDocument, keys: readonly string[]): Promise<void> {
    for (const batch of batches(keys, WRITE_BATCH)) {
      const requests = batch.map((id) => ({ DeleteRequest: { Key: { id } } }));
      await untilProcessed({ [this.#table]: requests }, async (RequestItems) => {
        const { UnprocessedItems } = await client.batchWrite({ RequestItems });
        return UnprocessedItems as typeof RequestItems | undefined;
      });
    }
  }

  /** Pages of all items whose name begins so. */
  async *#scan(
    client: DynamoDBDocument,
    prefix: string,
    projection: string,
  ): AsyncGenerator<NonNullable<ScanCommandOutput['Items']>> {
    let from: ScanCommandOutput['LastEvaluatedKey'];
    do {
      const page = await client.scan({
        TableName: this.#table,
        FilterExpression: 'begins_with(#id, :prefix)',
        ProjectionExpression: projection === 'id' ? '#id' : projection,
        ExpressionAttributeNames: projection === 'id' ? { '#id': 'id' } : NAMES,
        ExpressionAttributeValues: { ':prefix': prefix },
        ...(from ? { ExclusiveStartKey: from } : {}),
      });
      yield page.Items ?? [];
      from = page.LastEvaluatedKey;
    } while (from);
  }
}

/** All of a row but its body. */
const SUMMARY = '#id, #value.#head, #value.#size';
const NAMES = { '#id': 'id', '#value': 'value', '#head': 'head', '#size': 'size' };

function linksOf({ group, id, urls }: EntrySummary): string[] {
  return [...(group === id ? [] : [group]), ...urls];
}

/** Makes the table where it is not there: the adapter's own way waits for twenty seconds. */
async function ensureTable(client: DynamoDB, TableName: string, expires: boolean): Promise<void> {
  const failsWith = (name: string) => (error: Error) => {
    if (error.name !== name) throw error;
    return undefined;
  };
  try {
    for (let made = false; ; await new Promise((resolve) => setTimeout(resolve, TABLE_POLL))) {
      const found = await client.describeTable({ TableName }).catch(failsWith('ResourceNotFoundException'));
      const status = found?.Table?.TableStatus;
      if (status !== undefined && status !== 'CREATING') {
        // What can't do it, as emulators, keeps entries until they are removed.
        const TimeToLiveSpecification = { AttributeName: 'expiresAt', Enabled: true };
        if (made && expires) await client.updateTimeToLive({ TableName, TimeToLiveSpecification }).catch(() => {});
        return;
      }
      if (status === undefined) {
        const table = {
          KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' as const }],
          AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' as const }],
          BillingMode: 'PAY_PER_REQUEST' as const,
        };
        await client.createTable({ TableName, ...table }).catch(failsWith('ResourceInUseException'));
        made = true;
      }
    }
  } finally {
    client.destroy();
  }
}

/** A hexadecimal digit of a name, spread evenly also where names begin alike, as a key's variants do. */
function partOf(id: string): string {
  return id.at(-1) ?? '0';
}

/** Sends what the server has not processed again, after a pause that grows. */
async function untilProcessed<T extends object>(work: T, send: (work: T) => Promise<T | undefined>): Promise<void> {
  let pause = FIRST_PAUSE;
  for (let left: T | undefined = work; left && Object.keys(left).length > 0; ) {
    if (left !== work) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(pause * 2, LAST_PAUSE);
    }
    left = await send(left);
  }
}

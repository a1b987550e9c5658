import type { DynamoDB } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocument, ScanCommandOutput } from '@aws-sdk/lib-dynamodb';
import pLimit, { type LimitFunction } from 'p-limit';
import { loadBeneath, loadClient } from '../../platform/load-client.js';
import { pause } from '../../platform/real-time.js';
import { batches } from '../concurrency.js';
import { type Access, StoreFailure } from '../store-failure.js';
import { ensureTable } from './ensure-table.js';
import { classified, isConditionFailure, isMissingTable } from './failures.js';
import { tableLocation } from './traits.js';

export interface DynamoDbTableOptions {
  /**
   * URL of the server. Default: that of the AWS SDK.
   *
   * @example
   * new DynamoDbCache({ endpoint: 'http://localhost:8000' });
   */
  readonly endpoint?: string | undefined;
  /**
   * The AWS region of the table. Default: that of the AWS SDK.
   *
   * @example
   * new DynamoDbCache({ region: 'eu-central-1' });
   */
  readonly region?: string | undefined;
  /**
   * The credentials of AWS. Default: those that the AWS SDK finds.
   *
   * @example
   * new DynamoDbCache({ credentials: { accessKeyId: 'id', secretAccessKey: 'secret' } });
   */
  readonly credentials?: object | undefined;
  /**
   * Options of the AWS SDK's `DynamoDB`, in its units. Default: `{}`.
   *
   * @example
   * new DynamoDbCache({ clientOptions: { maxAttempts: 5 } });
   */
  readonly clientOptions?: object | undefined;
}

export type Item = Readonly<Record<string, unknown>>;

/** An update of an item, or a condition of a deletion. `#name` in an expression is the attribute of that name. */
export interface Change {
  /** Update expression. */
  readonly update: string;
  /** Condition expression. Default: none. */
  readonly condition?: string | undefined;
  readonly values?: Record<string, unknown> | undefined;
  /** Whether the new values of the attributes are needed. Default: false. */
  readonly returns?: boolean | undefined;
}

interface KeyvDynamoModule {
  readonly KeyvDynamo: new (
    options: object,
  ) => { readonly client: DynamoDBDocument; on(event: 'error', listener: (error: unknown) => void): unknown };
}

interface SdkModule {
  readonly DynamoDB: new (options: object) => DynamoDB;
}

const NEEDED_BY = 'backend "dynamodb"';
/** DynamoDB's own limits, in items. */
export const READ_BATCH = 100;
const WRITE_BATCH = 25;
/** Milliseconds; makes the SDK fail fast. */
const FAIL_FAST = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
};
/**
 * Commands at once. The SDK has 50 sockets, and a command that waits for one of them longer than `connectionTimeout` fails
 * as if there were no server. Reads do not wait for many writes.
 */
const AT_ONCE: Readonly<Record<Access, number>> = { read: 20, write: 30 };
/** Milliseconds before items that the server has not processed are sent again: the first time, and at most. */
const FIRST_PAUSE = 20;
const LAST_PAUSE = 1_000;
/** Attempts to have all items of a batch processed, about 10 s. */
const MAX_ATTEMPTS = 16;

/**
 * A table of DynamoDB, created on demand, on the client of @keyv/dynamo. Reads are strongly consistent: an older state may
 * contain what was invalidated.
 */
export class DynamoDbTable {
  readonly name: string;
  readonly #options: DynamoDbTableOptions;
  readonly #limits: Readonly<Record<Access, LimitFunction>> = {
    read: pLimit(AT_ONCE.read),
    write: pLimit(AT_ONCE.write),
  };
  #opening: Promise<DynamoDBDocument> | undefined;

  constructor(name: string, options: DynamoDbTableOptions) {
    this.name = name;
    this.#options = options;
  }

  /** URL of the endpoint, without credentials, and the table. */
  get location(): string {
    return tableLocation(this.name, this.#options);
  }

  /** @param projection projection expression. Default: all attributes */
  getItem(id: string, projection?: string): Promise<Item | undefined> {
    const expressions = projection === undefined ? {} : { ProjectionExpression: projection, ...namesIn(projection) };
    return this.#run('read', async (client) => {
      const command = { TableName: this.name, Key: { id }, ConsistentRead: true, ...expressions };
      return (await client.get(command)).Item;
    });
  }

  getItems(ids: readonly string[], projection: string): Promise<Item[]> {
    return this.#run('read', async (client) => {
      const found: Item[] = [];
      const read = { ConsistentRead: true, ProjectionExpression: projection, ...namesIn(projection) };
      for (const batch of batches([...new Set(ids)], READ_BATCH)) {
        await untilProcessed({ [this.name]: { ...read, Keys: batch.map((id) => ({ id })) } }, async (RequestItems) => {
          const { Responses, UnprocessedKeys } = await client.batchGet({ RequestItems });
          found.push(...(Responses?.[this.name] ?? []));
          return UnprocessedKeys as typeof RequestItems | undefined;
        });
      }
      return found;
    });
  }

  /** Updates or creates an item; resolves to its changed attributes, undefined if the condition does not hold. */
  update(id: string, change: Change): Promise<Item | undefined> {
    return this.#conditionally(async (client) => {
      const ReturnValues = change.returns ? 'UPDATED_NEW' : 'NONE';
      const command = { UpdateExpression: change.update, ReturnValues, ...this.#conditionOf(id, change) } as const;
      return (await client.update(command)).Attributes ?? {};
    });
  }

  /** Deletes an item; resolves to undefined if the condition does not hold. */
  delete(id: string, condition: Omit<Change, 'update'>): Promise<Item | undefined> {
    return this.#conditionally(async (client) => {
      await client.delete(this.#conditionOf(id, { ...condition, update: '' }));
      return {};
    });
  }

  deleteItems(ids: readonly string[]): Promise<void> {
    return this.#run('write', async (client) => {
      for (const batch of batches([...new Set(ids)], WRITE_BATCH)) {
        const requests = batch.map((id) => ({ DeleteRequest: { Key: { id } } }));
        await untilProcessed({ [this.name]: requests }, async (RequestItems) => {
          const { UnprocessedItems } = await client.batchWrite({ RequestItems });
          return UnprocessedItems as typeof RequestItems | undefined;
        });
      }
    });
  }

  /** Yields all items whose id has a prefix, in pages of the server. */
  async *scan(prefix: string, projection: string): AsyncGenerator<readonly Item[]> {
    const expressions = {
      FilterExpression: 'begins_with(#id, :prefix)',
      ProjectionExpression: projection,
      ...namesIn(`#id ${projection}`),
      ExpressionAttributeValues: { ':prefix': prefix },
    };
    let from: ScanCommandOutput['LastEvaluatedKey'];
    do {
      const start = from ? { ExclusiveStartKey: from } : {};
      const page = await this.#run('read', (client) =>
        client.scan({ TableName: this.name, ConsistentRead: true, ...expressions, ...start }),
      );
      yield page.Items ?? [];
      from = page.LastEvaluatedKey;
    } while (from);
  }

  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    const client = await opening?.catch(() => undefined);
    // A document client's own `destroy` does nothing: the client beneath it has the sockets.
    client?.config.requestHandler.destroy?.();
  }

  #conditionally(work: (client: DynamoDBDocument) => Promise<Item>): Promise<Item | undefined> {
    return this.#run('write', (client) =>
      work(client).catch((error: unknown) => {
        if (isConditionFailure(error)) return undefined;
        throw error;
      }),
    );
  }

  #conditionOf(id: string, { update, condition, values }: Change) {
    return {
      TableName: this.name,
      Key: { id },
      ...(condition === undefined ? {} : { ConditionExpression: condition }),
      ...namesIn(`${update} ${condition ?? ''}`),
      ...(values === undefined ? {} : { ExpressionAttributeValues: values }),
    };
  }

  async #run<T>(access: Access, work: (client: DynamoDBDocument) => Promise<T>): Promise<T> {
    try {
      return await this.#limits[access](() => this.#attempt(work));
    } catch (error) {
      throw classified(error, access);
    }
  }

  async #attempt<T>(work: (client: DynamoDBDocument) => Promise<T>): Promise<T> {
    const opening = this.#open();
    try {
      return await work(await opening);
    } catch (error) {
      if (!isMissingTable(error)) throw error;
      // The table was deleted under the open client; several commands may notice.
      if (this.#opening === opening) await this.close();
      return await work(await this.#open());
    }
  }

  #open(): Promise<DynamoDBDocument> {
    if (!this.#opening) {
      const opening = this.#connect();
      this.#opening = opening;
      opening.catch(() => {
        if (this.#opening === opening) this.#opening = undefined;
      });
    }
    return this.#opening;
  }

  async #connect(): Promise<DynamoDBDocument> {
    const { clientOptions, endpoint, region, credentials } = this.#options;
    const named = Object.entries({ endpoint, region, credentials }).filter(([, value]) => value !== undefined);
    const options = { ...FAIL_FAST, ...clientOptions, ...Object.fromEntries(named) };
    const sdk = await loadBeneath<SdkModule>('@keyv/dynamo', '@aws-sdk/client-dynamodb', NEEDED_BY);
    await ensureTable(new sdk.DynamoDB(options), this.name);
    const { KeyvDynamo } = await loadClient<KeyvDynamoModule>('@keyv/dynamo', NEEDED_BY);
    const adapter = new KeyvDynamo({ ...options, tableName: this.name });
    // It looks for the table once more; an error without a listener would end the process.
    adapter.on('error', () => {});
    return adapter.client;
  }
}

/** Returns the names that expressions mention: DynamoDB refuses reserved words elsewhere, and names that are not used. */
function namesIn(expressions: string): { readonly ExpressionAttributeNames?: Record<string, string> } {
  const names = [...expressions.matchAll(/#(\w+)/g)].map(([mention, name = '']) => [mention, name]);
  return names.length === 0 ? {} : { ExpressionAttributeNames: Object.fromEntries(names) };
}

/**
 * Sends items that the server has not processed again, after a pause that grows.
 *
 * @throws StoreFailure `refusal` after {@link MAX_ATTEMPTS}
 */
async function untilProcessed<T extends object>(work: T, send: (work: T) => Promise<T | undefined>): Promise<void> {
  let left: T | undefined = work;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    if (attempt > 0) {
      await pause(Math.min(FIRST_PAUSE * 2 ** (attempt - 1), LAST_PAUSE), { keepsProcess: true });
    }
    left = await send(left);
    if (!left || Object.keys(left).length === 0) return;
  }
  throw new StoreFailure('refusal', new Error('DynamoDB left items of a batch unprocessed'));
}

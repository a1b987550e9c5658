import type { DynamoDB } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocument, ScanCommandOutput } from '@aws-sdk/lib-dynamodb';
import { loadBeneath, loadClient } from '../../platform/load-client.js';
import { batches } from '../entry-query.js';

export interface DynamoDbTableOptions {
  /** Default: what the AWS SDK finds. */
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  /** Default: what the AWS SDK finds. */
  readonly credentials?: object | undefined;
  /** What the AWS SDK's `DynamoDB` takes, in its units. */
  readonly clientOptions?: object | undefined;
}

/** What is read of items. */
export interface Projection {
  readonly expression: string;
  readonly names: Record<string, string>;
}

type Item = Record<string, unknown>;

interface KeyvDynamoModule {
  readonly KeyvDynamo: new (
    options: object,
  ) => { readonly client: DynamoDBDocument; on(event: 'error', listener: (error: unknown) => void): unknown };
}

const WHAT = 'backend "dynamodb"';

interface SdkModule {
  readonly DynamoDB: new (options: object) => DynamoDB;
}

/** DynamoDB's own limits, in items. */
export const READ_BATCH = 100;
const WRITE_BATCH = 25;
/** Milliseconds: what makes the SDK fail fast and come back by itself. */
const FAIL_FAST = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
};
/** Milliseconds between two looks at a table that is being made. */
const TABLE_POLL = 100;
/** Milliseconds before what the server has not processed is sent again: at first, and at most. */
const FIRST_PAUSE = 20;
const LAST_PAUSE = 1_000;

/** A table of DynamoDB, made on demand, on the client of @keyv/dynamo: in batches within limits, and whole in spite of them. */
export class DynamoDbTable {
  readonly name: string;
  readonly #options: DynamoDbTableOptions;
  readonly #expires: boolean;
  #opening: Promise<DynamoDBDocument> | undefined;

  /** @param expires whether the server lets items go by their `expiresAt` */
  constructor(name: string, options: DynamoDbTableOptions, expires: boolean) {
    this.name = name;
    this.#options = options;
    this.#expires = expires;
  }

  /** The client, once the table is there. */
  open(): Promise<DynamoDBDocument> {
    this.#opening ??= this.#connect().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async getItems(keys: readonly string[], { expression, names }: Projection): Promise<Item[]> {
    const client = await this.open();
    const asked = { ProjectionExpression: expression, ExpressionAttributeNames: names };
    const found: Item[] = [];
    for (const batch of batches([...new Set(keys)], READ_BATCH)) {
      await untilProcessed({ [this.name]: { ...asked, Keys: batch.map((id) => ({ id })) } }, async (RequestItems) => {
        const { Responses, UnprocessedKeys } = await client.batchGet({ RequestItems });
        found.push(...(Responses?.[this.name] ?? []));
        return UnprocessedKeys as typeof RequestItems | undefined;
      });
    }
    return found;
  }

  async deleteItems(keys: readonly string[]): Promise<void> {
    const client = await this.open();
    for (const batch of batches(keys, WRITE_BATCH)) {
      const requests = batch.map((id) => ({ DeleteRequest: { Key: { id } } }));
      await untilProcessed({ [this.name]: requests }, async (RequestItems) => {
        const { UnprocessedItems } = await client.batchWrite({ RequestItems });
        return UnprocessedItems as typeof RequestItems | undefined;
      });
    }
  }

  /** Pages of all items whose name begins so; the names of a projection have `#id`. */
  async *scan(prefix: string, { expression, names }: Projection): AsyncGenerator<readonly Item[]> {
    const client = await this.open();
    let from: ScanCommandOutput['LastEvaluatedKey'];
    do {
      const page = await client.scan({
        TableName: this.name,
        FilterExpression: 'begins_with(#id, :prefix)',
        ProjectionExpression: expression,
        ExpressionAttributeNames: names,
        ExpressionAttributeValues: { ':prefix': prefix },
        ...(from ? { ExclusiveStartKey: from } : {}),
      });
      yield page.Items ?? [];
      from = page.LastEvaluatedKey;
    } while (from);
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

  async #connect(): Promise<DynamoDBDocument> {
    const { clientOptions, endpoint, region, credentials } = this.#options;
    const named = Object.entries({ endpoint, region, credentials }).filter(([, value]) => value !== undefined);
    const options = { ...FAIL_FAST, ...clientOptions, ...Object.fromEntries(named) };
    const sdk = await loadBeneath<SdkModule>('@keyv/dynamo', '@aws-sdk/client-dynamodb', WHAT);
    await ensureTable(new sdk.DynamoDB(options), this.name, this.#expires);
    const { KeyvDynamo } = await loadClient<KeyvDynamoModule>('@keyv/dynamo', WHAT);
    const adapter = new KeyvDynamo({ ...options, tableName: this.name });
    // It looks for the table once more; an error without a listener would end the process.
    adapter.on('error', () => {});
    return adapter.client;
  }
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

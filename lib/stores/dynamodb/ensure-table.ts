import type { DynamoDB } from '@aws-sdk/client-dynamodb';
import { pause } from '../../platform/real-time.js';

/** Milliseconds between two looks at a table that is being created, and their number: about a minute. */
const POLL = 100;
const MAX_POLLS = 600;
/** States in which the table cannot be used, and which end by themselves. */
const PASSING: ReadonlySet<string> = new Set(['CREATING', 'DELETING']);

/**
 * Creates the table if it does not exist, and closes the client. The adapter waits for twenty seconds.
 *
 * @throws the SDK's error if the table can neither be found nor created
 */
export async function ensureTable(client: DynamoDB, TableName: string): Promise<void> {
  try {
    await findOrCreate(client, TableName);
  } finally {
    client.destroy();
  }
}

async function findOrCreate(client: DynamoDB, TableName: string): Promise<void> {
  let created = false;
  for (let polls = 0; polls < MAX_POLLS; polls += 1) {
    const status = await statusOf(client, TableName);
    if (status === undefined) {
      await create(client, TableName);
      created = true;
    } else if (!PASSING.has(status)) {
      if (created) await expire(client, TableName);
      return;
    }
    await pause(POLL, { keepsProcess: true });
  }
  throw new Error(`the table ${TableName} is not ready`);
}

/** Returns the status of the table; undefined if it does not exist. */
async function statusOf(client: DynamoDB, TableName: string): Promise<string | undefined> {
  try {
    return (await client.describeTable({ TableName })).Table?.TableStatus;
  } catch (error) {
    const { name } = error as Error;
    if (name === 'ResourceNotFoundException') return undefined;
    // Permission to read and write items does not include permission to describe the table.
    if (name === 'AccessDeniedException') return 'ACTIVE';
    throw error;
  }
}

async function create(client: DynamoDB, TableName: string): Promise<void> {
  try {
    await client.createTable({
      TableName,
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
    });
  } catch (error) {
    // Another process creates it.
    if ((error as Error).name !== 'ResourceInUseException') throw error;
  }
}

/** Has the server delete items by their `expiresAt`; emulators without that keep them. */
async function expire(client: DynamoDB, TableName: string): Promise<void> {
  const TimeToLiveSpecification = { AttributeName: 'expiresAt', Enabled: true };
  await client.updateTimeToLive({ TableName, TimeToLiveSpecification }).catch(() => {});
}

import type { StoreTraits } from '../lazy-store.js';
import type { DynamoDbStoreOptions } from './index.js';

/** Bytes: DynamoDB's bound for an item, less what is beside the entry. */
export const MAX_ENTRY = 400 * 1024 - 2 * 1024;

export function dynamoDbTraits(cacheName: string, options: DynamoDbStoreOptions): StoreTraits {
  const location = tableLocation(options.table ?? cacheName, options);
  return { location, maxEntrySize: MAX_ENTRY, isIndexed: false, reportsSize: false };
}

/** Returns the URL of the server without credentials, or `dynamodb:`, with the name of the table. */
export function tableLocation(table: string, { endpoint }: DynamoDbStoreOptions): string {
  return endpoint === undefined ? `dynamodb:${table}` : `${withoutCredentials(endpoint)}/${table}`;
}

function withoutCredentials(endpoint: string): string {
  const url = new URL(endpoint);
  return `${url.protocol}//${url.host}`;
}

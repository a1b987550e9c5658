import type { StoreTraits } from '../lazy-store.js';
import type { MongoConnectionOptions } from './connection.js';

export const DEFAULT_URL = 'mongodb://127.0.0.1:27017';
/** Bytes. MongoDB's bound for a document is 16 MiB, which includes the names of the fields and the secondary index. */
export const MAX_ENTRY = 16 * 1024 * 1024 - 64 * 1024;

export function mongoTraits(cacheName: string, options: MongoConnectionOptions, maxEntrySize?: number): StoreTraits {
  const location = mongoLocation(options.database ?? cacheName, options);
  return { location, maxEntrySize, isIndexed: true, reportsSize: true };
}

/** Returns the URL with hosts and database, without credentials; undefined for a client of the caller. */
export function mongoLocation(
  database: string,
  { client, url = DEFAULT_URL }: MongoConnectionOptions,
): string | undefined {
  return client ? undefined : `${withoutCredentials(url)}/${database}`;
}

/** Returns protocol and hosts of a MongoDB URL, which may name several hosts and so is no URL for `URL`. */
function withoutCredentials(url: string): string {
  const [, protocol = '', authority = ''] = /^([\w+]+:\/\/)([^/?]*)/.exec(url) ?? [];
  return protocol + authority.slice(authority.lastIndexOf('@') + 1);
}

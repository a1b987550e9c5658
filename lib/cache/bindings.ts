import { CacheError } from '../errors.js';
import type { ResponseRecord } from '../models/record.js';
import type { MaybePromise } from '../platform/maybe-promise.js';
import type { Expiration } from '../policy/expiration.js';
import type { KeyRules } from '../request/cache-key.js';

/** A record, and its names in the secondary index, which the cache hashes. */
export interface FoundRecord {
  readonly record: ResponseRecord;
  readonly indexNames: readonly string[];
}

/** What a cache can do only with the HTTP client at hand; handed in by the layer that knows it. */
export interface ClientBindings {
  /** The key of a request that the client's configuration describes. */
  keyOf(config: object, rules: KeyRules): MaybePromise<string>;
  /** The record of a response that was obtained elsewhere; it expires by `expireAfter`, counted from now. */
  recordOf(response: object, rules: KeyRules, expireAfter: Expiration, now: number): Promise<FoundRecord>;
  /** The client's response for a record, with its decoded data. */
  responseOf(record: ResponseRecord, data: unknown): Promise<object>;
}

let provided: ClientBindings | undefined;

export function provideBindings(bindings: ClientBindings): void {
  provided = bindings;
}

/** @throws CacheError `ERR_CACHE_STATE` where no client was handed in */
export function clientBindings(): ClientBindings {
  if (!provided)
    throw new CacheError('ERR_CACHE_STATE', 'this needs axios: import setupCache from axios-keyv-cache first');
  return provided;
}

import type { AxiosHeaders } from 'axios';
import { CacheError } from '../errors.js';
import type { CacheRequest } from '../models/cache-request.js';
import type { ResponseRecord } from '../models/record.js';
import type { MaybePromise } from '../platform/maybe-promise.js';
import { shared } from '../platform/shared-state.js';
import type { Expiration } from '../policy/expiration.js';
import type { Fields } from '../policy/messages.js';
import type { KeyRules } from '../request/cache-key.js';

/** A record, and its names in the secondary index, which the cache hashes. */
export interface FoundRecord {
  readonly record: ResponseRecord;
  readonly indexNames: readonly string[];
}

/** The functions of a cache that need the HTTP client; provided by the layer that imports the client. */
export interface ClientBindings {
  /**
   * Returns the request that the client would send for a configuration.
   *
   * @param config as given to the client; interceptors do not run
   * @param defaults of the client's instance. Default: those of the client itself
   * @throws TypeError if it is no request for an http or https URL
   */
  requestOf(config: object, rules: KeyRules, defaults?: object): Promise<CacheRequest>;
  /** Returns the key of the request that the client would send for a configuration, or of a stored request. */
  keyOf(config: object, rules: KeyRules, defaults?: object): MaybePromise<string>;
  /** Returns the record of a response that was obtained elsewhere; it expires by `expireAfter`, counted from now. */
  recordOf(
    response: object,
    rules: KeyRules,
    expireAfter: Expiration,
    now: number,
    options?: { readonly encrypts: boolean },
  ): Promise<FoundRecord>;
  /** Returns the client's headers with copies of the fields. */
  headersOf(fields: Fields): AxiosHeaders;
  /** Returns the client's response for a record, with its decoded data. */
  responseOf(record: ResponseRecord, data: unknown): Promise<object>;
}

const client = /* @__PURE__ */ shared('clientBindings', () => ({ bindings: undefined as ClientBindings | undefined }));

export function provideBindings(bindings: ClientBindings): void {
  client.bindings = bindings;
}

/** @throws CacheError `ERR_CACHE_STATE` if no client was provided */
export function clientBindings(): ClientBindings {
  if (!client.bindings)
    throw new CacheError('ERR_CACHE_STATE', 'this needs axios: import setupCache from axios-keyv-cache first');
  return client.bindings;
}

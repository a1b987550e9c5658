import type { CacheRequest } from './models/cache-request.js';

/** How a call's credentials take part in its key. */
export type Credentials = 'isolate' | 'ignore' | ((config: object) => string | undefined);

/** The settings of one call that make its key. */
export interface KeyRules {
  /** Headers that are part of the key: all, the named (lower case), or none. */
  readonly matchHeaders: boolean | readonly string[];
  /** Lower-case names left out of key and store. */
  readonly ignoredParameters: ReadonlySet<string>;
  readonly credentials: Credentials;
  readonly keyFn: ((request: CacheRequest, settings: object) => string) | undefined;
}

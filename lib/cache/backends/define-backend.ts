import { systemNow } from '../../platform/clock.js';
import { canResolve, missingPackage } from '../../platform/load-client.js';
import type { Store } from '../../stores/store.js';
import {
  type BackendClock,
  type CommonBackendOptions,
  codecFor,
  DEFAULT_CACHE_NAME,
  type Reader,
  readBackendOptions,
  readClientObject,
  readName,
  readUrl,
} from '../backend-options.js';
import type { CacheParts } from '../cache-types.js';

/** A backend that uses a package with a client. */
export interface BackendDefinition<Options extends CommonBackendOptions> {
  /** Name in the option `backend`. */
  readonly name: string;
  /** The package that it needs. */
  readonly needs: string;
  /** Readers of its options beside those of all backends. */
  readonly options: Readonly<Record<string, Reader>>;
  /** Throws a TypeError for options that do not fit together. */
  readonly check?: (read: Readonly<Record<string, unknown>>) => void;
  readonly open: (cacheName: string, options: ReadOptions<Options>, now: () => number) => Store;
}

/** Options as they were read: `retention` is a number of seconds. */
type ReadOptions<Options> = Omit<Options, 'retention'> & { readonly retention?: number };

/** Readers of the options that MongoDB and GridFS have in common. */
export const MONGODB_OPTIONS: Readonly<Record<string, Reader>> = {
  cacheName: readName,
  url: /* @__PURE__ */ readUrl(['mongodb:', 'mongodb+srv:']),
  client: /* @__PURE__ */ readClientObject('a MongoClient'),
  clientOptions: /* @__PURE__ */ readClientObject(),
  database: readName,
};

/**
 * Reads a backend's options and opens its store. Nothing is connected or created yet.
 *
 * @throws TypeError for a wrong option, which it names; CacheError `ERR_CACHE_MISSING_PACKAGE` if the package is not
 *   installed
 */
export function openParts<Options extends CommonBackendOptions>(
  { name, needs, options: readers, check, open }: BackendDefinition<Options>,
  options: Options,
  { now = systemNow }: BackendClock,
): CacheParts {
  const read = readBackendOptions(options, readers);
  check?.(read);
  if (!canResolve(needs)) throw missingPackage(needs, `backend "${name}"`);
  const own = read as ReadOptions<Options>;
  return { ...own, store: open(own.cacheName ?? DEFAULT_CACHE_NAME, own, now), codec: codecFor(read), now };
}

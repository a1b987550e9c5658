import { systemNow } from '../../platform/clock.js';
import { canResolve, missingPackage } from '../../platform/load-client.js';
import { LazyStore, type NetworkStore, type StoreTraits } from '../../stores/lazy-store.js';
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
  readonly traits: (cacheName: string, options: ReadOptions<Options>) => StoreTraits;
  /** Loads the code of the store, and makes it. */
  readonly open: (cacheName: string, options: ReadOptions<Options>, now: () => number) => Promise<NetworkStore>;
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
 * Reads a backend's options. Nothing is loaded, connected or created yet.
 *
 * @throws TypeError for a wrong option, which it names; CacheError `ERR_CACHE_MISSING_PACKAGE` if the package is not
 *   installed
 */
export function openParts<Options extends CommonBackendOptions>(
  { name, needs, options: readers, check, traits, open }: BackendDefinition<Options>,
  options: Options,
  { now = systemNow }: BackendClock,
): CacheParts {
  const read = readBackendOptions(options, readers);
  check?.(read);
  if (!canResolve(needs)) throw missingPackage(needs, `backend "${name}"`);
  const own = read as ReadOptions<Options>;
  const { cacheName = DEFAULT_CACHE_NAME } = own;
  const store = new LazyStore(name, traits(cacheName, own), () => open(cacheName, own, now));
  return { ...own, store, codec: codecFor(read), now };
}

import Keyv from 'keyv';

/** The part of a Keyv storage adapter that is used; a `Map` is one. */
export interface KeyvAdapter {
  get(key: string): unknown;
  set(key: string, value: unknown, ttl?: number): unknown;
  delete(key: string): unknown;
}

/** Whether a value is a Keyv instance, of whatever copy and line of Keyv: adapters have no `getRaw`. */
export function isKeyv(value: unknown): value is Keyv {
  const { get, set, getRaw, store } = (value ?? {}) as Record<string, unknown>;
  const methods = [get, set, getRaw];
  return methods.every((method) => typeof method === 'function') && typeof store === 'object';
}

export function isAdapter(value: unknown): value is KeyvAdapter {
  const { get, set, delete: remove } = (value ?? {}) as Record<string, unknown>;
  return typeof get === 'function' && typeof set === 'function' && typeof remove === 'function';
}

/** The differences between Keyv 5 and Keyv 6 beneath a Keyv instance. */
export interface KeyvLine {
  /** Returns the key as the adapter gets it from Keyv. */
  adapterKey(key: string): string;
  /** Whether the adapter gets the same key in a call for many keys as in a call for one. */
  isBatchable(key: string): boolean;
  /** Lists the adapter's keys, of this Keyv and of others; undefined if the adapter cannot. */
  adapterKeys(): AsyncIterable<unknown> | Iterable<unknown> | undefined;
  /** Changes if what {@link adapterKeys} lists may have changed. */
  arrangement(): string;
}

export function lineOf(keyv: Keyv): KeyvLine {
  return 'decode' in keyv ? line6(keyv) : line5(keyv);
}

type Listed = AsyncIterable<readonly [key: unknown, ...rest: unknown[]]>;
interface ListingAdapter {
  readonly namespace?: string;
  readonly iterator?: (namespace?: string) => Listed;
  readonly entries?: () => Iterable<readonly [key: unknown, ...rest: unknown[]]>;
}

/** Line 5 writes the namespace before each key, unless the key begins with it, and gives the result to the adapter. */
function line5(keyv: Keyv): KeyvLine {
  const adapter = () => keyv.store as ListingAdapter;
  const prefix = () => (keyv.useKeyPrefix && keyv.namespace ? `${keyv.namespace}:` : '');
  return {
    adapterKey: (key) => (key.startsWith(prefix()) ? key : prefix() + key),
    // Calls for many write the namespace before each key in any case.
    isBatchable: (key) => prefix() === '' || !key.startsWith(prefix()),
    // Not by Keyv's own iterator: it ends at a value that it cannot deserialize, and removes the wrong prefix.
    adapterKeys() {
      const { iterator, entries } = adapter();
      if (iterator) return keysOf(iterator.call(adapter(), keyv.namespace));
      return entries && keysOf(entries.call(adapter()));
    },
    arrangement: () => `${keyv.namespace} ${adapter().namespace} ${keyv.useKeyPrefix}`,
  };
}

/** Line 6 leaves namespaces to its adapters, and puts adapters of other lines, and Maps, behind one of its own. */
function line6(keyv: Keyv): KeyvLine {
  const adapter = () => keyv.store as ListingAdapter & { readonly store?: ListingAdapter };
  return {
    adapterKey: (key) => key,
    isBatchable: () => true,
    adapterKeys() {
      const { iterator, entries } = adapter().store ?? adapter();
      return iterator || entries ? keysOf(adapter().iterator?.() ?? []) : undefined;
    },
    arrangement: () => `${keyv.namespace} ${adapter().namespace}`,
  };
}

async function* keysOf(
  entries: Listed | Iterable<readonly [key: unknown, ...rest: unknown[]]>,
): AsyncGenerator<unknown> {
  for await (const [key] of entries) yield key;
}

/** Puts an adapter behind a Keyv that leaves keys, values and the adapter's namespace as they are, in both lines. */
export function throughKeyv(adapter: KeyvAdapter): Keyv {
  const plain = {
    serialize: ({ value }: { value: unknown }) => value,
    deserialize: (value: unknown) => ({ value, expires: undefined }),
  };
  const options = {
    store: withoutOptions(adapter),
    namespace: (adapter as { readonly namespace?: string }).namespace,
    useKeyPrefix: false,
    throwOnErrors: true,
    ...plain,
    serialization: { stringify: plain.serialize, parse: plain.deserialize },
  };
  return new Keyv(options as unknown as ConstructorParameters<typeof Keyv>[0]);
}

/** Dialects of the adapters that line 5 takes for iterable. */
const DIALECTS = new Set(['sqlite', 'postgres', 'mysql', 'mongo', 'redis', 'valkey', 'etcd']);
const METHODS = [
  'get',
  'set',
  'delete',
  'clear',
  'has',
  'getMany',
  'setMany',
  'deleteMany',
  'iterator',
  'disconnect',
  'on',
];

/**
 * Line 5 cannot be constructed over an adapter that iterates, but whose `opts` name no dialect that it knows; and neither
 * line over one without `clear`, which is never called here.
 */
function withoutOptions(adapter: KeyvAdapter): object {
  const { iterator, opts } = adapter as { iterator?: unknown; opts?: { dialect?: string; url?: unknown } };
  const isKnown = !opts || DIALECTS.has(String(opts.dialect)) || typeof opts.url === 'string';
  const canClear = typeof (adapter as { clear?: unknown }).clear === 'function';
  if (canClear && (!iterator || isKnown || 'capabilities' in adapter)) return adapter;
  const source = adapter as unknown as Record<string, unknown>;
  const methods = METHODS.map((name) => [name, source[name]] as const);
  const bound = methods.flatMap(([name, method]) =>
    typeof method === 'function' ? [[name, method.bind(adapter)] as const] : [],
  );
  return { clear() {}, ...Object.fromEntries(bound) };
}

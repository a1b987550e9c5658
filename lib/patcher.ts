import type { Axios, AxiosInstance, AxiosRequestConfig, AxiosStatic, InternalAxiosRequestConfig } from 'axios';
import { attachmentOf } from './axios/attachment.js';
import { restoreAdapter, wrapAdapter } from './axios/caching-adapter.js';
import { type AxiosExport, copiesOfApplication, copyOf, isBare, isExport } from './axios/copies.js';
import { OpenedCache } from './axios/opened-cache.js';
import { Patches, type Request } from './axios/patch.js';
import type { BaseCache } from './cache/base-cache.js';
import type { RemovalCount } from './cache/cache-types.js';
import { optionError } from './errors.js';
import type { CacheEvent } from './models/events.js';
import { type AsyncScope, asyncScope } from './platform/async-scope.js';
import { isPromise } from './platform/maybe-promise.js';
import { shared } from './platform/shared-state.js';
import type { ExpirationTime } from './policy/expiration.js';
import type { Reason } from './policy/reasons.js';
import { withoutStoreOptions } from './settings/given-options.js';
import type { CacheOptions } from './settings/types.js';
import type { CachedAxiosInstance } from './setup-cache.js';

/** Options of {@link installCache} and {@link enabled}. */
export type InstallOptions = CacheOptions & {
  /**
   * Called for each covered instance instead of `setupCache`, with the instance and the options for `setupCache`
   * (requests-cache: `session_factory`). If it throws, or returns no set-up instance, the request is sent without a
   * cache, and an event of type `error` reports it.
   *
   * @example
   * installCache({ instanceFactory: (instance, options) => setupCache(instance, { ...options, expireAfter: '1h' }) });
   */
  instanceFactory?: ((instance: AxiosInstance, options: CacheOptions) => CachedAxiosInstance) | undefined;
  /**
   * Default exports of further copies of axios to cover, such as the copy of an SDK. The copies that the application
   * loads are always covered. Default: none.
   *
   * @example
   * import { axios as axiosOfSdk } from 'some-sdk';
   * installCache({ copies: [axiosOfSdk] });
   */
  copies?: readonly (AxiosStatic | AxiosExport)[] | undefined;
};

/** The installation that covers the running code; undefined: none. */
interface Scope {
  readonly installation: Installation | undefined;
}

/** The state of installations, shared by all builds of this package. */
interface PatchingState {
  readonly scopes: AsyncScope<Scope>;
  /** The results of `instanceFactory`, by the interceptors of the instance. */
  readonly made: WeakMap<object, { readonly installation: Installation; readonly instance: CachedAxiosInstance }>;
  installed: Installation | undefined;
  /** Installations in force: the global one, and those of `enabled` calls in progress. */
  inForce: number;
  readonly patches: Patches;
}

const state: PatchingState = /* @__PURE__ */ shared('patching', () => ({
  scopes: asyncScope<Scope>(),
  made: new WeakMap(),
  installed: undefined,
  inForce: 0,
  patches: new Patches(),
}));

/** A cache that covers instances that have no cache of their own. */
class Installation {
  readonly opened: OpenedCache;
  readonly #factory: InstallOptions['instanceFactory'];
  readonly #factoryOptions: CacheOptions;
  readonly #made = new Map<object, CachedAxiosInstance>();
  readonly #prototypes: ReadonlySet<object>;

  constructor(options: InstallOptions) {
    const { instanceFactory, copies, ...cacheOptions } = options;
    if (instanceFactory !== undefined && typeof instanceFactory !== 'function') {
      throw optionError('instanceFactory', instanceFactory, 'a function');
    }
    const exported = [...copiesOfApplication(), ...readCopies(copies)];
    this.opened = new OpenedCache(cacheOptions, {});
    this.#factory = instanceFactory;
    this.#factoryOptions = { ...withoutStoreOptions(cacheOptions), backend: this.opened.base };
    this.#prototypes = new Set(exported.map((copy) => copy.Axios.prototype));
    state.inForce += 1;
    for (const copy of exported) state.patches.add(copy, send);
  }

  /** Returns whether it covers the instances of a copy of axios. */
  covers(prototype: object): boolean {
    return this.#prototypes.has(prototype);
  }

  /** Sends a covered instance's request through the cache. */
  request(instance: Axios, original: Request, given: AxiosRequestConfig): Promise<unknown> {
    if (this.#factory) {
      const isMade = this.#make(instance, this.#factory);
      if (isMade !== 'other') return original.call(instance, given);
    }
    const config = { ...given, adapter: given.adapter ?? instance.defaults.adapter } as InternalAxiosRequestConfig;
    wrapAdapter(config, this.opened, copyOf(instance));
    return original.call(instance, config).catch((error: unknown) => {
      const { config: sent } = (error ?? {}) as { config?: InternalAxiosRequestConfig };
      if (sent) restoreAdapter(sent);
      throw error;
    });
  }

  /** Restores the instances at once; resolves when their requests in flight have settled and the store is closed. */
  async end(): Promise<void> {
    state.inForce -= 1;
    if (state.inForce === 0) state.patches.restore();
    this.opened.release();
    const detached = [...this.#made].map(async ([interceptors, instance]) => {
      state.made.delete(interceptors);
      await instance.detachCache();
    });
    for (const result of await Promise.allSettled(detached)) {
      if (result.status === 'rejected') this.#report('detach', result.reason);
    }
    await this.opened.close();
  }

  /** As {@link end}, without a promise: errors are reported as events. */
  endInBackground(): void {
    this.end().catch((error: unknown) => this.#report('close', error));
  }

  /**
   * Lets the factory set up the instance, once.
   *
   * @returns `'other'` if another installation's factory made the instance before
   */
  #make(instance: Axios, factory: NonNullable<InstallOptions['instanceFactory']>): 'made' | 'failed' | 'other' {
    const { interceptors } = instance;
    if (this.#made.has(interceptors)) return 'made';
    if (state.made.has(interceptors)) return 'other';
    try {
      const made = factory(instance as AxiosInstance, this.#factoryOptions);
      if (typeof made?.detachCache !== 'function') {
        // An async factory is a mistake too.
        if (isPromise<unknown>(made)) made.catch(() => {});
        throw optionError('instanceFactory', made, 'a function that returns a set-up instance');
      }
      this.#made.set(interceptors, made);
      state.made.set(interceptors, { installation: this, instance: made });
      return 'made';
    } catch (error) {
      this.#report('instance-factory', error);
      return 'failed';
    }
  }

  #report(reason: Reason, error: unknown): void {
    const event: CacheEvent = { type: 'error', reason, error };
    this.opened.cache.events.emit('error', () => event, this.opened.settings.compiled.onEvent);
  }
}

/** @throws TypeError for anything but a list of default exports of axios */
function readCopies(copies: unknown): readonly AxiosExport[] {
  const list: readonly unknown[] = copies === undefined ? [] : Array.isArray(copies) ? copies : [copies];
  const wrong = list.find((copy) => !isExport(copy));
  if (wrong !== undefined || list.includes(undefined)) {
    throw optionError('copies', wrong, 'a list of default exports of axios 1.7.9 or later');
  }
  return list as readonly AxiosExport[];
}

/** Returns the installation that covers the caller; the innermost of `enabled` and `disabled` applies. */
function coverage(): Installation | undefined {
  const scope = state.scopes.get();
  return scope ? scope.installation : state.installed;
}

/** Sends a request as its caller is covered; a set-up instance uses its own settings. */
function send(prototype: object, instance: Axios, original: Request, given: AxiosRequestConfig): Promise<unknown> {
  if (isBare(instance)) return original.call(instance, given);
  const covering = coverage();
  const installation = covering?.covers(prototype) ? covering : undefined;
  const made = state.made.get(instance.interceptors);
  const own = made === undefined && attachmentOf(instance) !== undefined;
  const go = () =>
    !installation || own ? original.call(instance, given) : installation.request(instance, original, given);
  // An instance that another installation's factory made is not covered by that one here.
  return made && made.installation !== installation ? made.instance.cacheDisabled(go) : go();
}

/**
 * Covers all axios instances that have no cache of their own: the default one, existing and later ones, and subclasses
 * (requests-cache: `install_cache`). A second call replaces the first, and closes the store that it opened.
 *
 * Covered are the copies of axios that the application loads and those in `copies`. Copies nested in other packages are
 * not covered; {@link cachingAdapter} serves SDKs that accept an adapter.
 *
 * @throws as `setupCache`
 * @example
 * installCache({ cacheName: 'demo_cache', expireAfter: '6m' });
 */
export function installCache(options: InstallOptions = {}): void {
  const installation = new Installation(options);
  state.installed?.endInBackground();
  state.installed = installation;
}

/**
 * Restores axios at once; resolves when the store is closed (requests-cache: `uninstall_cache`).
 *
 * @example
 * await uninstallCache();
 */
export async function uninstallCache(): Promise<void> {
  const installation = state.installed;
  state.installed = undefined;
  await installation?.end();
}

/**
 * Covers the requests that `fn` starts, also asynchronously, and no others (requests-cache: `enabled`).
 *
 * @returns the result of `fn`, when the cache is closed
 * @example
 * await enabled({ backend: 'memory' }, () => axios.get('https://example.org/'));
 */
export async function enabled<T>(options: InstallOptions, fn: () => T | Promise<T>): Promise<T> {
  const installation = new Installation(options);
  try {
    return await state.scopes.run({ installation }, fn);
  } finally {
    await installation.end();
  }
}

/**
 * Excludes the requests that `fn` starts from every installation (requests-cache: `disabled`).
 *
 * @returns the result of `fn`
 * @example
 * const response = await disabled(() => axios.get('https://example.org/'));
 */
export function disabled<T>(fn: () => T): T {
  return state.scopes.run({ installation: undefined }, fn);
}

/**
 * Returns the cache that covers the caller, if any (requests-cache: `get_cache`).
 *
 * @example
 * console.log(getCache()?.location);
 */
export function getCache(): BaseCache | undefined {
  return coverage()?.opened.base;
}

/**
 * Returns whether the caller is covered (requests-cache: `is_installed`).
 *
 * @example
 * if (!isInstalled()) installCache({ expireAfter: '6m' });
 */
export function isInstalled(): boolean {
  return coverage() !== undefined;
}

/**
 * Clears the cache that covers the caller, if any (requests-cache: `clear`).
 *
 * @example
 * installCache({ backend: 'memory' });
 * await clear();
 */
export async function clear(): Promise<void> {
  await getCache()?.clear();
}

/**
 * Removes expired responses from the cache that covers the caller, if any (requests-cache: `remove_expired_responses`).
 *
 * @example
 * const { removed, kept } = await removeExpiredResponses();
 */
export async function removeExpiredResponses(expireAfter?: ExpirationTime): Promise<RemovalCount> {
  return (await getCache()?.removeExpiredResponses(expireAfter)) ?? { removed: 0, kept: 0 };
}

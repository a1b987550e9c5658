import type { Axios, AxiosInstance, AxiosRequestConfig, InternalAxiosRequestConfig } from 'axios';
import { attachmentOf } from './axios/attachment.js';
import { type CachingContext, restoreAdapter, wrapAdapter } from './axios/caching-adapter.js';
import { prototypesOfAxios } from './axios/copies.js';
import type { BaseCache, RemovalCount } from './cache/base-cache.js';
import { type CacheInternals, internalsOf } from './cache/internals.js';
import { openCache } from './cache/open-cache.js';
import { optionError } from './errors.js';
import { asyncScope } from './platform/async-scope.js';
import type { ExpirationTime } from './policy/expiration.js';
import { type CallSettings, InstanceSettings, storeOptions, withoutStoreOptions } from './settings/instance.js';
import type { CacheOptions } from './settings/types.js';
import type { CachedAxiosInstance } from './setup-cache.js';

/** Options of {@link installCache} and {@link enabled}. */
export type InstallOptions = CacheOptions & {
  /**
   * Called for each covered instance in place of the default; gets the instance, and the options for `setupCache`
   * (requests-cache: `session_factory`).
   */
  instanceFactory?: ((instance: AxiosInstance, options: CacheOptions) => CachedAxiosInstance) | undefined;
};

/** `Axios.prototype._request`: private, and the one place that every instance of every kind passes. */
type Request = (this: Axios, configOrUrl: string | AxiosRequestConfig, config?: AxiosRequestConfig) => Promise<unknown>;

/** What covers whoever runs in it: an installation, or nothing. */
interface Scope {
  readonly installation: Installation | undefined;
}

const scopes = asyncScope<Scope>();
/** Who made what of an instance by an `instanceFactory`, by its interceptors. */
const makers = new WeakMap<object, { readonly installation: Installation; readonly made: CachedAxiosInstance }>();
let installed: Installation | undefined;
/** Installations in force: the global one, and those of `enabled` calls that run. */
let inForce = 0;
let restore: (() => void) | undefined;

/** A cache that covers instances which have none of their own. */
class Installation implements CachingContext {
  readonly base: BaseCache;
  readonly cache: CacheInternals;
  readonly settings: { readonly compiled: CallSettings };
  readonly #owned: boolean;
  readonly #factory: InstallOptions['instanceFactory'];
  readonly #factoryOptions: CacheOptions;
  readonly #made = new Map<object, CachedAxiosInstance>();
  readonly #release: () => void;

  constructor(options: InstallOptions) {
    const { instanceFactory, ...cacheOptions } = options;
    if (instanceFactory !== undefined && typeof instanceFactory !== 'function') {
      throw optionError('instanceFactory', instanceFactory, 'a function');
    }
    const settings = new InstanceSettings(cacheOptions);
    this.settings = settings;
    const { cache, owned } = openCache(storeOptions(cacheOptions), {});
    this.base = cache;
    this.cache = internalsOf(cache);
    settings.useStore(this.cache.guard.store);
    this.#owned = owned;
    this.#factory = instanceFactory;
    this.#factoryOptions = { ...withoutStoreOptions(cacheOptions), backend: cache };
    this.#release = this.cache.use(this.settings);
    inForce += 1;
    restore ??= patch();
  }

  isDisabled(): boolean {
    return false;
  }

  enter(): void {}

  leave(): void {}

  /** Sends a covered instance's request through the cache. */
  request(instance: Axios, original: Request, given: AxiosRequestConfig): Promise<unknown> {
    if (this.#factory && this.#cover(instance, this.#factory)) return original.call(instance, given);
    const config = { ...given, adapter: given.adapter ?? instance.defaults.adapter } as InternalAxiosRequestConfig;
    wrapAdapter(config, this);
    return original.call(instance, config).catch((error: unknown) => {
      const { config: sent } = (error ?? {}) as { config?: InternalAxiosRequestConfig };
      if (sent) restoreAdapter(sent);
      throw error;
    });
  }

  /** Restores at once; resolves when what was opened is closed. */
  async end(): Promise<void> {
    inForce -= 1;
    if (inForce === 0) {
      restore?.();
      restore = undefined;
    }
    this.#release();
    await Promise.all(
      [...this.#made].map(([interceptors, instance]) => {
        makers.delete(interceptors);
        return instance.detachCache();
      }),
    );
    if (this.#owned) await this.base.close();
  }

  /** Whether the instance is the factory's; another installation's factory may have been there before. */
  #cover(instance: Axios, factory: NonNullable<InstallOptions['instanceFactory']>): boolean {
    const { interceptors } = instance;
    if (this.#made.has(interceptors)) return true;
    if (makers.has(interceptors)) return false;
    const made = factory(instance as AxiosInstance, this.#factoryOptions);
    this.#made.set(interceptors, made);
    makers.set(interceptors, { installation: this, made });
    return true;
  }
}

/** The installation that covers the code which runs here; the innermost of `enabled` and `disabled` wins. */
function coverage(): Installation | undefined {
  const scope = scopes.get();
  return scope ? scope.installation : installed;
}

/** Sends a request as what covers the caller has it; an instance that is set up itself goes by its own settings. */
function send(instance: Axios, original: Request, given: AxiosRequestConfig): Promise<unknown> {
  const installation = coverage();
  const maker = makers.get(instance.interceptors);
  const own = maker === undefined && attachmentOf(instance) !== undefined;
  const go = () =>
    !installation || own ? original.call(instance, given) : installation.request(instance, original, given);
  // What another installation's factory made of it is not in force here.
  return maker && maker.installation !== installation ? maker.made.cacheDisabled(go) : go();
}

/** Puts a request function of ours in the place of axios's own, in every copy of axios that is loaded. */
function patch(): () => void {
  const undo = prototypesOfAxios().map((prototype) => {
    const own = Object.getOwnPropertyDescriptor(prototype, '_request');
    const original = own?.value as Request;
    const patched: Request = function (configOrUrl, config) {
      const given = typeof configOrUrl === 'string' ? { ...config, url: configOrUrl } : (configOrUrl ?? {});
      return send(this, original, given);
    };
    Object.defineProperty(prototype, '_request', { ...own, value: patched });
    return () => {
      // Whoever patched it after us keeps what it has.
      const current = Object.getOwnPropertyDescriptor(prototype, '_request');
      if (own && current?.value === patched) Object.defineProperty(prototype, '_request', own);
    };
  });
  return () => {
    for (const one of undo) one();
  };
}

/**
 * Covers all axios instances that have no cache of their own: the default one, those that exist, later ones, subclasses
 * (requests-cache: `install_cache`). A second call replaces the first.
 *
 * @throws as `setupCache`
 */
export function installCache(options: InstallOptions = {}): void {
  const installation = new Installation(options);
  void installed?.end();
  installed = installation;
}

/** Leaves axios as it was, at once; resolves when the store is closed (requests-cache: `uninstall_cache`). */
export async function uninstallCache(): Promise<void> {
  const installation = installed;
  installed = undefined;
  await installation?.end();
}

/**
 * Covers what `fn` starts, and nothing else that runs meanwhile (requests-cache: `enabled`).
 *
 * @returns what `fn` returns, once its cache is closed
 */
export async function enabled<T>(options: InstallOptions, fn: () => T | Promise<T>): Promise<T> {
  const installation = new Installation(options);
  try {
    return await scopes.run({ installation }, fn);
  } finally {
    await installation.end();
  }
}

/** Has no installation cover what `fn` starts; returns what `fn` returns (requests-cache: `disabled`). */
export function disabled<T>(fn: () => T): T {
  return scopes.run({ installation: undefined }, fn);
}

/** The cache that covers the caller, if any (requests-cache: `get_cache`). */
export function getCache(): BaseCache | undefined {
  return coverage()?.base;
}

/** Whether the caller is covered (requests-cache: `is_installed`). */
export function isInstalled(): boolean {
  return coverage() !== undefined;
}

/** Clears the cache that covers the caller, if any (requests-cache: `clear`). */
export async function clear(): Promise<void> {
  await getCache()?.clear();
}

/** Removes expired responses from the cache that covers the caller, if any (requests-cache: `remove_expired_responses`). */
export async function removeExpiredResponses(expireAfter?: ExpirationTime): Promise<RemovalCount> {
  return (await getCache()?.removeExpiredResponses(expireAfter)) ?? { removed: 0, kept: 0 };
}

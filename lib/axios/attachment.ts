import type { Axios, AxiosInstance, AxiosRequestConfig, CreateAxiosDefaults, InternalAxiosRequestConfig } from 'axios';
import type { BaseCache } from '../cache/base-cache.js';
import type { RemovalCount } from '../cache/cache-types.js';
import { type CacheInternals, internalsOf } from '../cache/internals.js';
import type { AxiosCopy } from '../conversion/copy.js';
import { asyncScope } from '../platform/async-scope.js';
import type { MaybePromise } from '../platform/maybe-promise.js';
import { shared } from '../platform/shared-state.js';
import type { ExpirationTime } from '../policy/expiration.js';
import { refuseCacheOptions } from '../settings/given-options.js';
import type { CacheSettings, InstanceSettings } from '../settings/instance.js';
import { type CachingContext, hasCachingAdapter, InFlight, restoreAdapter, wrapAdapter } from './caching-adapter.js';
import { copyOf, isExport } from './copies.js';
import { type Disabling, disabling } from './disabling.js';
import { type PrefetchOptions, type PrefetchRequests, type PrefetchResult, prefetch } from './prefetch.js';

/** The members that a cache adds to an axios instance. */
export interface CacheMethods {
  /** The cache of this instance (requests-cache: `session.cache`). */
  readonly cache: BaseCache;
  /** The instance's settings; each write is validated. */
  readonly cacheSettings: CacheSettings;
  /**
   * Bypasses the cache for the requests that `fn` starts, also asynchronously, and for no others (requests-cache:
   * `cache_disabled()`). Children made by `create()` follow.
   *
   * @returns the result of `fn`
   * @example
   * const response = await api.cacheDisabled(() => api.get('https://example.org/'));
   */
  cacheDisabled<T>(fn: () => T): T;
  /**
   * Disables the cache for this instance and its children until the result is disposed.
   *
   * @example
   * const disabled = api.cacheDisabled();
   * await api.get('https://example.org/');
   * disabled.dispose();
   */
  cacheDisabled(): Disabling;
  /**
   * Removes expired responses from the cache of this instance, as {@link BaseCache.removeExpiredResponses}.
   *
   * @example
   * const { removed, kept } = await api.removeExpiredResponses();
   */
  removeExpiredResponses(expireAfter?: ExpirationTime): Promise<RemovalCount>;
  /**
   * Sends the requests whose responses are not stored, at most `concurrency` (default 4) at a time. A request that fails
   * is counted and does not end the others.
   *
   * @returns the number of requests by outcome
   * @throws TypeError for a wrong option
   * @example
   * await api.prefetch(['https://example.org/1', 'https://example.org/2'], { concurrency: 2 });
   */
  prefetch(requests: PrefetchRequests, options?: PrefetchOptions): Promise<PrefetchResult>;
  /**
   * Restores the instance and its children, waits for their requests (at most `backendTimeout`), and closes a store that
   * `setupCache` opened.
   *
   * @example
   * await api.detachCache();
   */
  detachCache(): Promise<void>;
}

/** An instance of axios, or an object of a subclass: both have interceptors. */
export type Attachable = Pick<Axios, 'interceptors' | 'defaults' | 'request'> & { create?: AxiosInstance['create'] };

/** The current attachment of each instance, by its interceptors: a callable instance shares them with its object. */
const attachments = /* @__PURE__ */ shared('attachments', () => new WeakMap<object, Attachment>());

export function attachmentOf({ interceptors }: Pick<Attachable, 'interceptors'>): Attachment | undefined {
  return attachments.get(interceptors);
}

/** Connects one instance with a cache: interceptors, settings, and the members that the cache adds to the instance. */
export class Attachment implements CachingContext {
  readonly instance: Attachable;
  readonly settings: InstanceSettings;
  readonly base: BaseCache;
  readonly cache: CacheInternals;
  /** Whether the instance was set up itself, rather than covered through its parent. */
  readonly own: boolean;
  readonly #owned: boolean;
  readonly #parent: Attachment | undefined;
  readonly #covered: Attachment | undefined;
  readonly #copy: MaybePromise<AxiosCopy>;
  readonly #undo: (() => void)[] = [];
  readonly #children = new Set<WeakRef<Attachment>>();
  readonly #forgotten = new FinalizationRegistry<WeakRef<Attachment>>((child) => this.#children.delete(child));
  readonly inFlight = new InFlight();
  #disablings = 0;

  /** @param how.owned whether the cache was opened for this instance, and is closed with it */
  constructor(
    instance: Attachable,
    base: BaseCache,
    settings: InstanceSettings,
    how: { parent?: Attachment; owned?: boolean },
  ) {
    this.instance = instance;
    this.base = base;
    this.cache = internalsOf(base);
    this.settings = settings;
    settings.useStore(this.cache.breaker.store);
    this.own = how.parent === undefined;
    this.#owned = how.owned ?? false;
    this.#parent = how.parent;
    // Before `create` is replaced: an unknown copy of axios is examined by a new instance of it.
    this.#copy = copyOf(instance);
    // A child's requests report to its own listener; events of the whole store go to the parent's.
    if (this.own) this.#undo.push(this.cache.use(settings, instance.defaults));
    this.#covered = attachments.get(instance.interceptors);
    attachments.set(instance.interceptors, this);
    this.#listen();
    this.#extend();
  }

  isDisabled(): boolean {
    return this.#disablings > 0 || isDisabledHere(this) || (this.#parent?.isDisabled() ?? false);
  }

  /** Restores the instance and its children, and resolves when their requests have settled. */
  async detach(): Promise<void> {
    if (attachments.get(this.instance.interceptors) === this) {
      if (this.#covered) attachments.set(this.instance.interceptors, this.#covered);
      else attachments.delete(this.instance.interceptors);
    }
    for (const undo of this.#undo.splice(0).reverse()) undo();
    const children = [...this.#children].map((child) => child.deref()?.detach());
    await this.cache.breaker.withinBudget(Promise.all([...children, this.inFlight.idle()]));
    if (this.#owned) await this.base.close();
  }

  #listen(): void {
    const { request, response } = this.instance.interceptors;
    const onRequest = (config: InternalAxiosRequestConfig) => {
      if (attachments.get(this.instance.interceptors) !== this) return config;
      // If this attachment is disabled, an installation may still cover the request.
      if (!(this.isDisabled() && hasCachingAdapter(config))) wrapAdapter(config, this, this.#copy);
      return config;
    };
    const requestId = request.use(onRequest, null, { synchronous: true });
    const responseId = response.use(undefined, (error: unknown) => {
      const { config } = (error ?? {}) as { config?: InternalAxiosRequestConfig };
      if (config) restoreAdapter(config);
      return Promise.reject(error);
    });
    this.#undo.push(
      () => request.eject(requestId),
      () => response.eject(responseId),
    );
  }

  #extend(): void {
    const methods: CacheMethods = {
      cache: this.base,
      cacheSettings: this.settings.view,
      cacheDisabled: <T>(fn?: () => T) => (fn ? runDisabled(this, fn) : this.#disable()) as T & Disabling,
      removeExpiredResponses: (expireAfter?: ExpirationTime) => this.base.removeExpiredResponses(expireAfter),
      prefetch: (requests, options) =>
        prefetch((config: AxiosRequestConfig) => this.instance.request(config), requests, options),
      detachCache: () => this.detach(),
    };
    for (const [name, value] of Object.entries(methods)) this.#define(name, value);
    const { create } = this.instance;
    // `axios.create()` makes independent instances, which `setupCache(axios)` must not affect.
    if (create && !isExport(this.instance)) {
      this.#define('create', (config?: CreateAxiosDefaults) => this.#createChild(create, config));
    }
  }

  #define(name: string, value: unknown): void {
    const before = Object.getOwnPropertyDescriptor(this.instance, name);
    // Other packages may replace `create`, as cookie jars do; their version then remains.
    const writable = name === 'create';
    Object.defineProperty(this.instance, name, { value, configurable: true, enumerable: true, writable });
    this.#undo.push(() => {
      if (Object.getOwnPropertyDescriptor(this.instance, name)?.value !== value) return;
      if (before) Object.defineProperty(this.instance, name, before);
      else delete (this.instance as unknown as Record<string, unknown>)[name];
    });
  }

  #createChild(create: AxiosInstance['create'], config: CreateAxiosDefaults | undefined): AxiosInstance {
    if (config) refuseCacheOptions(config, 'create()');
    const child = create.call(this.instance, config);
    const attachment = new Attachment(
      child,
      this.base,
      this.settings.copy(() => child.defaults.baseURL),
      { parent: this },
    );
    const reference = new WeakRef(attachment);
    this.#children.add(reference);
    this.#forgotten.register(attachment, reference);
    return child;
  }

  #disable(): Disabling {
    this.#disablings += 1;
    return disabling(() => {
      this.#disablings -= 1;
    });
  }
}

/** The owners whose cache is disabled for the running code, innermost first. */
interface Scope {
  readonly owner: object;
  readonly outer: Scope | undefined;
}

const scopes = /* @__PURE__ */ shared('disabledScopes', () => asyncScope<Scope>());

/** Runs `fn` with the owner's cache disabled for everything that it starts, also asynchronously. */
function runDisabled<T>(owner: object, fn: () => T): T {
  return scopes.run({ owner, outer: scopes.get() }, fn);
}

function isDisabledHere(owner: object): boolean {
  let scope = scopes.get();
  while (scope) {
    if (scope.owner === owner) return true;
    scope = scope.outer;
  }
  return false;
}

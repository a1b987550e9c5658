import type { Axios, AxiosInstance, CreateAxiosDefaults, InternalAxiosRequestConfig } from 'axios';
import type { BaseCache, RemovalCount } from '../cache/base-cache.js';
import { type CacheInternals, internalsOf } from '../cache/internals.js';
import type { ExpirationTime } from '../policy/expiration.js';
import { type CacheSettings, type InstanceSettings, refuseCacheOptions } from '../settings/instance.js';
import { type CachingContext, hasCachingAdapter, restoreAdapter, wrapAdapter } from './caching-adapter.js';
import { isDisabledHere, runDisabled } from './scope.js';

/** What caching adds to an axios instance. */
export interface CacheMethods {
  /** The cache behind this instance (requests-cache: `session.cache`). */
  readonly cache: BaseCache;
  /** The instance's settings; writing one validates it. */
  readonly cacheSettings: CacheSettings;
  /**
   * Bypasses the cache for what `fn` starts, also when it is async, and for nothing else that runs meanwhile
   * (requests-cache: `cache_disabled()`). Children made by `create()` follow.
   *
   * @returns what `fn` returns
   */
  cacheDisabled<T>(fn: () => T): T;
  /** Disables this instance as a whole until the result is disposed. */
  cacheDisabled(): Disposable;
  /** As {@link BaseCache.removeExpiredResponses}. */
  removeExpiredResponses(expireAfter?: ExpirationTime): Promise<RemovalCount>;
  /** Leaves the instance and its children as they were before, and closes a store that was opened for it. */
  detachCache(): Promise<void>;
}

/** Anything of axios's that has interceptors: an instance or an object of a subclass. */
export type Attachable = Pick<Axios, 'interceptors' | 'defaults'> & { create?: AxiosInstance['create'] };

/** The attachment in force for each instance, by its interceptors: a callable instance and the object behind it share them. */
const attachments = new WeakMap<object, Attachment>();

export function attachmentOf({ interceptors }: Pick<Attachable, 'interceptors'>): Attachment | undefined {
  return attachments.get(interceptors);
}

/** One instance's tie to a cache: its interceptors, its settings, and what it adds to the instance. */
export class Attachment implements CachingContext {
  readonly instance: Attachable;
  readonly settings: InstanceSettings;
  readonly base: BaseCache;
  readonly cache: CacheInternals;
  /** Whether the instance was set up itself, rather than covered through its parent or an installation. */
  readonly own: boolean;
  readonly #owned: boolean;
  readonly #parent: Attachment | undefined;
  readonly #covered: Attachment | undefined;
  readonly #undo: (() => void)[] = [];
  readonly #children = new Set<WeakRef<Attachment>>();
  readonly #forgotten = new FinalizationRegistry<WeakRef<Attachment>>((child) => this.#children.delete(child));
  #switchedOff = 0;
  #inFlight = 0;
  #whenIdle: (() => void)[] = [];

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
    settings.useStore(this.cache.guard.store);
    this.own = how.parent === undefined;
    this.#owned = how.owned ?? false;
    this.#parent = how.parent;
    // A child's requests tell its own listener; of the store as a whole its parent hears.
    if (this.own) this.#undo.push(this.cache.use(settings));
    this.#covered = attachments.get(instance.interceptors);
    attachments.set(instance.interceptors, this);
    this.#listen();
    this.#extend();
  }

  isDisabled(): boolean {
    return this.#switchedOff > 0 || isDisabledHere(this) || (this.#parent?.isDisabled() ?? false);
  }

  enter(): void {
    this.#inFlight += 1;
  }

  leave(): void {
    this.#inFlight -= 1;
    if (this.#inFlight > 0) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** Takes everything off the instance and its children, and resolves when their requests have settled. */
  async detach(): Promise<void> {
    if (attachments.get(this.instance.interceptors) === this) {
      if (this.#covered) attachments.set(this.instance.interceptors, this.#covered);
      else attachments.delete(this.instance.interceptors);
    }
    for (const undo of this.#undo.splice(0).reverse()) undo();
    const children = [...this.#children].map((child) => child.deref()?.detach());
    await this.cache.guard.within(Promise.all([...children, this.#idle()]));
    if (this.#owned) await this.base.close();
  }

  #idle(): Promise<void> {
    return this.#inFlight === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  #listen(): void {
    const { request, response } = this.instance.interceptors;
    const onRequest = (config: InternalAxiosRequestConfig) => {
      if (attachments.get(this.instance.interceptors) !== this) return config;
      // Switched off, it leaves the request to whatever covers it here.
      if (!(this.isDisabled() && hasCachingAdapter(config))) wrapAdapter(config, this);
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
      cacheDisabled: <T>(fn?: () => T) => (fn ? runDisabled(this, fn) : this.#switchOff()) as T & Disposable,
      removeExpiredResponses: (expireAfter?: ExpirationTime) => this.base.removeExpiredResponses(expireAfter),
      detachCache: () => this.detach(),
    };
    for (const [name, value] of Object.entries(methods)) this.#define(name, value);
    const create = this.instance.create;
    if (create) this.#define('create', (config?: CreateAxiosDefaults) => this.#createChild(create, config));
  }

  #define(name: string, value: unknown): void {
    const before = Object.getOwnPropertyDescriptor(this.instance, name);
    // `create` may be wrapped once more, as cookie jars do; whoever wrapped it keeps what it has.
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
    const attachment = new Attachment(child, this.base, this.settings.copy(), { parent: this });
    const reference = new WeakRef(attachment);
    this.#children.add(reference);
    this.#forgotten.register(attachment, reference);
    return child;
  }

  #switchOff(): Disposable {
    this.#switchedOff += 1;
    let done = false;
    return {
      [Symbol.dispose]: () => {
        if (!done) this.#switchedOff -= 1;
        done = true;
      },
    };
  }
}

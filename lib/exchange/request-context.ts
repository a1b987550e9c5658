import type { Served } from '../cache/events.js';
import type { CacheInternals } from '../cache/internals.js';
import type { CacheRequest } from '../models/cache-request.js';
import type { CacheEvent, CacheEventType } from '../models/events.js';
import { isPromise, type MaybePromise } from '../platform/maybe-promise.js';
import type { Reason } from '../policy/reasons.js';
import { keyOf } from '../request/cache-key.js';
import { redactUrl } from '../request/redaction.js';
import type { CallSettings } from '../settings/instance.js';
import type { RequestAccess } from '../stores/circuit-breaker.js';
import type { Origin, ProgressListener } from './origin.js';

/** One caller's signal and timeout, while the cache waits on its behalf. */
export interface CallerLimits extends ProgressListener {
  /** Settles like `work`, or rejects as soon as a limit of the caller is reached. */
  race<T>(work: T | PromiseLike<T>): Promise<T>;
}

interface ContextParts extends Pick<RequestContext, 'request' | 'settings' | 'cache' | 'access' | 'caller'> {
  /** Returns the origin; called once, and only if the origin is asked. */
  readonly connect: () => Origin;
}

/** One request to the cache, with everything that the exchange needs for it. */
export class RequestContext {
  readonly request: CacheRequest;
  readonly settings: CallSettings;
  readonly cache: CacheInternals;
  /** This request's use of the store. */
  readonly access: RequestAccess;
  /** Undefined if the caller set no limit. */
  readonly caller: CallerLimits | undefined;
  readonly #connect: () => Origin;
  #origin: Origin | undefined;
  #key: string | undefined;

  constructor({ request, settings, cache, access, connect, caller }: ContextParts) {
    this.request = request;
    this.settings = settings;
    this.cache = cache;
    this.access = access;
    this.caller = caller;
    this.#connect = connect;
  }

  /** Cache key of the request as asked; computed on first access, since a request that bypasses the cache needs none. */
  get key(): string {
    this.#key ??= keyOf(this.request, this.settings);
    return this.#key;
  }

  get origin(): Origin {
    this.#origin ??= this.#connect();
    return this.#origin;
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.cache.now();
  }

  /** The same context for another request. */
  with(request: CacheRequest): RequestContext {
    return new RequestContext({ ...this, request, connect: () => this.origin });
  }

  /** The same context for work that continues after the caller has a response. */
  detached(): RequestContext {
    const origin = this.origin.detached();
    const context = new RequestContext({ ...this, connect: () => origin });
    context.#key = this.#key;
    return context;
  }

  /** Waits on the caller's behalf, within its limits. */
  wait<T>(work: MaybePromise<T>): MaybePromise<T> {
    return this.caller && isPromise(work) ? this.caller.race(work) : work;
  }

  /** Reports an event of this request to the cache's listeners and to its own. */
  emit(type: CacheEventType, details: Partial<CacheEvent> = {}): void {
    this.#emit(type, () => ({ key: this.key, ...details }));
  }

  /** Reports a response that the caller gets, with the time that the request waited for the store. */
  emitServed(type: CacheEventType, served: Served, reason: Reason | undefined): void {
    this.cache.events.addServed(served);
    const { size, isCoalesced } = served;
    this.#emit(type, () => ({
      key: this.key,
      ...(reason === undefined ? {} : { reason }),
      ...(size === undefined ? {} : { size }),
      ...(isCoalesced ? { coalesced: true } : {}),
      ...this.#storeTime('reads'),
    }));
  }

  /** Reports that a response was stored. */
  emitStored(): void {
    this.#emit('stored', () => ({ key: this.key, ...this.#storeTime('writes') }));
  }

  #storeTime(kind: 'reads' | 'writes'): Partial<CacheEvent> {
    const { waited } = this.access;
    return waited ? { store: this.cache.breaker.store.name, storeDuration: waited[kind] / 1000 } : {};
  }

  /** Reports that the request bypasses the cache, for which it has no key. */
  emitBypass(reason: Reason): void {
    this.#emit('skipped', () => ({ reason }));
  }

  #emit(type: CacheEventType, details: () => Partial<CacheEvent>): void {
    const { cache, settings, request } = this;
    const describe = () => ({ type, url: redactUrl(request.url, settings), ...details() });
    cache.events.emit(type, describe, settings.onEvent);
  }
}

import type { CacheInternals } from '../cache/internals.js';
import type { CacheRequest } from '../models/cache-request.js';
import type { CacheEvent, CacheEventType } from '../models/events.js';
import { keyOf } from '../request/cache-key.js';
import { redactUrl } from '../request/redaction.js';
import type { CallSettings } from '../settings/instance.js';
import type { StoreCall } from '../stores/circuit-breaker.js';
import type { Passenger } from './flights.js';
import type { Origin } from './origin.js';

/** One caller's patience: its signal and timeout, while the exchange waits on its behalf. */
export interface Patience extends Passenger {
  /** Settles as `work` does, or rejects as soon as the caller's limit is reached. */
  race<T>(work: T | PromiseLike<T>): Promise<T>;
}

/** What a call is made of. */
type CallParts = Pick<Call, 'request' | 'settings' | 'cache' | 'store' | 'origin' | 'patience'>;

/** One request on its way through the cache: everything that the exchange and its parts look at. */
export class Call {
  readonly request: CacheRequest;
  readonly settings: CallSettings;
  readonly cache: CacheInternals;
  /** This call's dealings with the store. */
  readonly store: StoreCall;
  readonly origin: Origin;
  /** Undefined where the caller set no limit. */
  readonly patience: Patience | undefined;
  #key: string | undefined;

  constructor({ request, settings, cache, store, origin, patience }: CallParts) {
    this.request = request;
    this.settings = settings;
    this.cache = cache;
    this.store = store;
    this.origin = origin;
    this.patience = patience;
  }

  /** Of the request as asked. Made when it is asked for: what goes past the cache needs none, and a long body takes long. */
  get key(): string {
    this.#key ??= keyOf(this.request, this.settings);
    return this.#key;
  }

  /** The call that another request would have been. */
  with(request: CacheRequest): Call {
    return new Call({ ...this, request });
  }
}

/** Waits on the caller's behalf, no longer than it wants to. */
export function wait<T>(call: Pick<Call, 'patience'>, work: Promise<T>): Promise<T> {
  return call.patience ? call.patience.race(work) : work;
}

/** Tells the cache's listeners, and the call's own, what happened to its request. */
export function tell(call: Call, type: CacheEventType, reason?: string, error?: unknown): void {
  emit(call, type, () => ({
    key: call.key,
    ...(reason === undefined ? {} : { reason }),
    ...(error === undefined ? {} : { error }),
  }));
}

/** Tells that a request goes past the cache, where it has no key. */
export function tellPast(call: Call, reason: string): void {
  emit(call, 'skipped', () => ({ reason }));
}

function emit({ cache, settings, request }: Call, type: CacheEventType, details: () => Partial<CacheEvent>): void {
  const describe = () => ({ type, url: redactUrl(request.url, settings), ...details() });
  cache.emit(type, describe, settings.onEvent);
}

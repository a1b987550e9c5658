import type { CacheInternals } from '../cache/internals.js';
import type { CacheRequest } from '../models/cache-request.js';
import type { CacheEvent, CacheEventType } from '../models/events.js';
import { redactUrl } from '../redaction.js';
import type { CallSettings } from '../settings.js';
import type { StoreCall } from '../stores/guard.js';
import type { Passenger } from './flights.js';
import type { Origin } from './origin.js';

/** One caller's patience: its signal and timeout, while the exchange waits on its behalf. */
export interface Patience extends Passenger {
  /** Settles as `work` does, or rejects as soon as the caller's limit is reached. */
  race<T>(work: T | PromiseLike<T>): Promise<T>;
}

/** One request on its way through the cache: everything that the exchange and its parts look at. */
export interface Call {
  readonly request: CacheRequest;
  /** Of the request as asked; made when it is first asked for. */
  readonly key: string;
  readonly settings: CallSettings;
  readonly cache: CacheInternals;
  /** This call's dealings with the store. */
  readonly store: StoreCall;
  readonly origin: Origin;
  /** Undefined where the caller set no limit. */
  readonly patience: Patience | undefined;
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
  const url = () => redactUrl(request.url, settings.ignoredParameters);
  cache.emit(type, () => ({ type, url: url(), ...details() }), settings.onEvent);
}

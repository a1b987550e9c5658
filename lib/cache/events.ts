import { format } from 'node:util';
import { CacheError } from '../errors.js';
import type { CacheEvent, CacheEventListener, CacheEventType } from '../models/events.js';
import { DiagnosticsChannel } from '../platform/diagnostics.js';
import { isPromise, type MaybePromise } from '../platform/maybe-promise.js';

/** The name of the diagnostics channel, and of the namespace in `DEBUG`. */
const NAME = 'axios-keyv-cache';
const diagnostics = new DiagnosticsChannel(NAME, deliver);

/** Number of events by type since the cache was opened; of `removed`, the number of responses. */
export type EventCounts = Readonly<Record<CacheEventType, number>>;

/** Sums over the responses that callers got since the cache was opened. */
export interface ServedTotals {
  /** Responses of another caller's request (option `coalesce`). */
  readonly coalesced: number;
  /** Bytes of all bodies, except those that are passed on as streams. */
  readonly bytesServed: number;
  /** Bytes of those bodies that the origin did not send for this request: stored, confirmed by a 304, or coalesced. */
  readonly bytesSaved: number;
}

/** A response that a caller gets. */
export interface Served {
  /** Bytes; undefined if the body is passed on as a stream. */
  readonly size: number | undefined;
  readonly isSaved: boolean;
  readonly isCoalesced: boolean;
}

/** Returns the present listener of an instance, which its settings may change. */
type ListenerSource = () => CacheEventListener | undefined;

/** Counts the events of a cache and passes them on. An event without a listener is not created. */
export class EventHub {
  readonly #counts: Record<CacheEventType, number> = {
    hit: 0,
    miss: 0,
    stale: 0,
    revalidated: 0,
    stored: 0,
    skipped: 0,
    invalidated: 0,
    removed: 0,
    invalid: 0,
    error: 0,
    recovered: 0,
  };
  readonly #sources = new Set<ListenerSource>();
  readonly #logs = isSelected(process.env.DEBUG ?? '');
  #warnedOfSerializer = false;
  #coalesced = 0;
  #bytesServed = 0;
  #bytesSaved = 0;

  get counts(): EventCounts {
    return { ...this.#counts };
  }

  get totals(): ServedTotals {
    return { coalesced: this.#coalesced, bytesServed: this.#bytesServed, bytesSaved: this.#bytesSaved };
  }

  /** Whether the diagnostics channel has subscribers, so that durations are worth measuring. */
  get isObserved(): boolean {
    return diagnostics.hasSubscribers;
  }

  /**
   * Counts an event of one request and passes it to its listener.
   *
   * @param describe makes the event
   * @param onEvent the listener of the request's instance
   */
  emit(type: CacheEventType, describe: () => CacheEvent, onEvent: CacheEventListener | undefined): void {
    this.#counts[type] += 1;
    const canWarn = type === 'error' || type === 'invalid';
    if (!onEvent && !this.#logs && !canWarn && !diagnostics.hasSubscribers) return;
    const event = Object.freeze(describe());
    this.#publish(event);
    if (onEvent) deliver(() => onEvent(event));
    else this.#warnOfSerializer(event);
  }

  /** Adds a response that a caller gets to the sums. */
  addServed({ size = 0, isSaved, isCoalesced }: Served): void {
    if (isCoalesced) this.#coalesced += 1;
    this.#bytesServed += size;
    if (isSaved) this.#bytesSaved += size;
  }

  /** Registers the listener of an instance for events that concern the cache as a whole; returns the reverse. */
  listen(source: ListenerSource): () => void {
    this.#sources.add(source);
    return () => this.#sources.delete(source);
  }

  /**
   * Counts an event that concerns the cache as a whole (removals, outages) and passes it to every listener. Without a
   * listener, an outage or the suspension of writes is reported as a warning.
   */
  emitToAll(event: CacheEvent): void {
    this.#counts[event.type] += event.type === 'removed' ? (event.count ?? 1) : 1;
    Object.freeze(event);
    this.#publish(event);
    // Instances may share a listener, which gets the event once.
    const listeners = new Set([...this.#sources].map((source) => source()).filter((found) => found !== undefined));
    for (const listener of listeners) deliver(() => listener(event));
    if (listeners.size > 0 || event.type !== 'error') return;
    const cause = (event.error as Error | null | undefined)?.message ?? event.reason;
    process.emitWarning(`${effectOf(event)}: ${cause}`, 'CacheWarning');
  }

  #publish(event: CacheEvent): void {
    if (diagnostics.hasSubscribers) diagnostics.publish(event);
    if (this.#logs) deliver(() => log(event));
  }

  /** A serializer that fails would otherwise be noticed only by the absence of hits. */
  #warnOfSerializer({ error }: CacheEvent): void {
    if (this.#warnedOfSerializer || !(error instanceof CacheError) || error.code !== 'ERR_CACHE_SERIALIZER') return;
    this.#warnedOfSerializer = true;
    process.emitWarning(`${error.message}; such responses are not served from the cache`, 'CacheWarning');
  }
}

/** Returns the effect of a failure of the store, for a warning. */
function effectOf({ reason }: CacheEvent): string {
  if (reason === 'store-replaced') return "the cache's store was damaged";
  if (reason === 'writes-suspended')
    return "the cache's store does not finish writes, requests continue without writing";
  return "the cache's store is not available, requests continue without it";
}

/** Calls a listener; its errors and rejections affect neither the process nor other listeners. */
function deliver(listener: () => unknown): void {
  try {
    const result = listener() as MaybePromise<unknown>;
    if (isPromise(result)) Promise.resolve(result).catch(() => {});
  } catch {
    // The mistake of a listener does not concern the request.
  }
}

function log({ type, url = '', reason, error }: CacheEvent): void {
  const detail = error === undefined ? '' : format(' %s', error);
  process.stderr.write(`${new Date().toISOString()} ${NAME} ${type} ${url} ${reason ?? ''}${detail}\n`);
}

/** The convention of the `debug` package: names separated by commas or spaces, `*` for anything, `-` to exclude. */
function isSelected(setting: string): boolean {
  const patterns = setting.split(/[\s,]+/).filter((pattern) => pattern !== '');
  const matches = (pattern: string) => {
    const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`).test(NAME);
  };
  const excluded = patterns.some((pattern) => pattern.startsWith('-') && matches(pattern.slice(1)));
  return !excluded && patterns.some((pattern) => !pattern.startsWith('-') && matches(pattern));
}

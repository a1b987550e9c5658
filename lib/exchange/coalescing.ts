import type { CacheInternals } from '../cache/internals.js';
import type { ProgressListener, SharedRequest } from './origin.js';

/** Milliseconds for which a key is not coalesced after a response that only one caller may have. */
const SEPARATE_FOR = 10_000;
/** Keys that are kept separate, at most. */
const MAX_SEPARATE = 1_000;

/** One request to the origin, shared by all callers that joined it. */
export class CoalescedRequest<T> implements SharedRequest {
  readonly result: Promise<T>;
  /** Place in the sequence of invalidations when it began. */
  readonly since: number;
  readonly #controller = new AbortController();
  readonly #listeners = new Set<ProgressListener>();
  #callers = 0;
  #settled = false;

  /**
   * @param run sends the request
   * @param since place in the sequence of invalidations
   * @param onSettled called when the result is known
   */
  constructor(run: (shared: SharedRequest) => Promise<T>, since: number, onSettled: () => void) {
    this.since = since;
    this.result = run(this).finally(() => {
      this.#settled = true;
      onSettled();
    });
    // If every caller has left, the result has no observer.
    this.result.catch(() => {});
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether every caller left, so that the origin request was canceled. */
  get isCanceled(): boolean {
    return this.#controller.signal.aborted;
  }

  /** Adds a caller, which must call {@link CoalescedRequest.leave} when it has its result or gives up. */
  join(listener: ProgressListener | undefined): void {
    this.#callers += 1;
    if (listener) this.#listeners.add(listener);
  }

  /** Removes a caller; the last one cancels the origin request. */
  leave(listener: ProgressListener | undefined): void {
    this.#callers -= 1;
    if (listener) this.#listeners.delete(listener);
    if (this.#callers === 0 && !this.#settled) this.#controller.abort();
  }

  progress(event: unknown): void {
    for (const listener of this.#listeners) listener.progress(event);
  }

  responseArrived(): void {
    for (const listener of this.#listeners) listener.responseArrived();
  }
}

/** A look-up that is in progress while a coalesced request for the same key may end. */
export interface LookupWatch {
  /** Whether a request for the key has ended meanwhile, so that its response may be stored now. */
  ended: boolean;
}

/** The origin requests of one cache that callers can join. All instances that share the cache share them. */
export class Coalescing<T> {
  readonly #open = new Map<string, CoalescedRequest<T>>();
  readonly #separate = new Map<string, number>();
  readonly #watches = new Map<string, Set<LookupWatch>>();

  /** The request of that name that a caller can join, if any. */
  find(name: string): CoalescedRequest<T> | undefined {
    const open = this.#open.get(name);
    return open?.isCanceled ? undefined : open;
  }

  /** Starts a request for a key that callers can join by its name. */
  start(name: string, key: string, { run, since }: CoalescedRequestOptions<T>): CoalescedRequest<T> {
    const started: CoalescedRequest<T> = new CoalescedRequest(run, since, () => {
      if (this.#open.get(name) === started) this.#open.delete(name);
      for (const watch of this.#watches.get(key) ?? []) watch.ended = true;
    });
    this.#open.set(name, started);
    return started;
  }

  /** Starts a request that no caller can join. */
  startAlone({ run, since }: CoalescedRequestOptions<T>): CoalescedRequest<T> {
    return new CoalescedRequest(run, since, () => {});
  }

  /** Keeps requests for a key separate for a while, since its responses are for one caller each. */
  keepSeparate(key: string, now: number): void {
    this.#separate.delete(key);
    this.#separate.set(key, now + SEPARATE_FOR);
    if (this.#separate.size <= MAX_SEPARATE) return;
    const oldest = this.#separate.keys().next();
    if (!oldest.done) this.#separate.delete(oldest.value);
  }

  isSeparate(key: string, now: number): boolean {
    if (this.#separate.size === 0) return false;
    const until = this.#separate.get(key);
    if (until === undefined) return false;
    if (until > now) return true;
    this.#separate.delete(key);
    return false;
  }

  /** Observes whether a request for the key ends during a look-up. */
  async watch<R>(key: string, lookup: Promise<R>): Promise<readonly [result: R, ended: boolean]> {
    const watch: LookupWatch = { ended: false };
    const watches = this.#watches.get(key) ?? new Set();
    this.#watches.set(key, watches.add(watch));
    try {
      return [await lookup, watch.ended];
    } finally {
      watches.delete(watch);
      if (watches.size === 0 && this.#watches.get(key) === watches) this.#watches.delete(key);
    }
  }
}

/** The origin requests of a cache, which all instances that use it share. */
export function coalescingOf<T>(cache: CacheInternals): Coalescing<T> {
  cache.coalescing ??= new Coalescing<T>();
  return cache.coalescing as Coalescing<T>;
}

export interface CoalescedRequestOptions<T> {
  /** Place in the sequence of invalidations. */
  readonly since: number;
  readonly run: (shared: SharedRequest) => Promise<T>;
}

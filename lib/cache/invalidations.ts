import type { ResponseRecord } from '../models/record.js';
import type { UrlMatcher } from '../policy/url-pattern.js';

/** Which stored responses an invalidation applies to: those that any of its members selects. */
export interface Invalidation {
  /** Digests in the secondary index, and storage keys of cache keys. */
  readonly digests: readonly string[];
  readonly patterns: readonly UrlMatcher[];
  readonly everything: boolean;
}

export const NO_INVALIDATION: Invalidation = Object.freeze({ digests: [], patterns: [], everything: false });

/** The properties of a response by which an invalidation selects it. */
export interface Selectable {
  /** Digests in the secondary index, and the storage key of its cache key. */
  readonly digests: readonly string[];
  /** The URL as asked and the final URL, normalized. */
  readonly urls: readonly string[];
}

/** An invalidation that the store has not carried out yet. */
export interface PendingInvalidation extends Invalidation {
  /** Milliseconds since the epoch: responses received until then count as stale. */
  readonly at: number;
}

/** Digests and patterns, or stored responses, that are remembered, at most; beyond that every older response is refused. */
const MAX_REMEMBERED = 1_000;

/**
 * The invalidations of this process that still matter: those that began after a request in flight was sent, so that its
 * response is not stored, and those that the store could not carry out yet, so that older responses count as stale.
 */
export class Invalidations {
  #sequence = 0;
  #inFlight = 0;
  readonly #byDigest = new Map<string, number>();
  #byPattern: { readonly pattern: UrlMatcher; readonly sequence: number }[] = [];
  /** Sequence of the last invalidation of everything. */
  #everything = 0;
  /** Those that the store has not carried out yet. */
  readonly pending = new Set<PendingInvalidation>();
  /** Those of the pending ones that are to be tried again. */
  readonly #failed = new Set<PendingInvalidation>();

  /** Begins a request to the origin; returns its place in the sequence of invalidations. */
  begin(): number {
    this.#inFlight += 1;
    return this.#sequence;
  }

  /** Ends a request that {@link Invalidations.begin} began. */
  end(): void {
    this.#inFlight -= 1;
    if (this.#inFlight > 0) return;
    this.#byDigest.clear();
    this.#byPattern = [];
  }

  /** Records an invalidation for the requests that are in flight now. */
  record({ digests, patterns, everything }: Invalidation): void {
    this.#sequence += 1;
    if (everything) this.#everything = this.#sequence;
    if (this.#inFlight === 0) return;
    for (const digest of digests) this.#byDigest.set(digest, this.#sequence);
    for (const pattern of patterns) this.#byPattern.push({ pattern, sequence: this.#sequence });
    if (this.#byDigest.size + this.#byPattern.length <= MAX_REMEMBERED) return;
    this.#everything = this.#sequence;
    this.#byDigest.clear();
    this.#byPattern = [];
  }

  /** The present place in the sequence. */
  get now(): number {
    return this.#sequence;
  }

  /** Whether anything was invalidated after a request began. */
  anySince(sequence: number): boolean {
    return this.#sequence > sequence;
  }

  /** Whether a response, or the request for it, was invalidated after the request began. */
  selectsSince(sequence: number, { digests, urls }: Selectable): boolean {
    if (this.#sequence <= sequence) return false;
    if (this.#everything > sequence) return true;
    if (digests.some((digest) => (this.#byDigest.get(digest) ?? 0) > sequence)) return true;
    return this.#byPattern.some((one) => one.sequence > sequence && urls.some((url) => one.pattern.matches(url)));
  }

  /** Remembers an invalidation until the store has carried it out. */
  addPending(pending: PendingInvalidation): void {
    this.pending.add(pending);
  }

  /** Keeps an invalidation that the store could not carry out. If that are too many, one of everything takes their place. */
  keepFailed(failed: PendingInvalidation): void {
    if (!this.pending.has(failed)) return;
    this.#failed.add(failed);
    let size = 0;
    for (const { digests, patterns } of this.#failed) size += digests.length + patterns.length;
    if (size <= MAX_REMEMBERED) return;
    for (const one of [...this.#failed]) this.removePending(one);
    const everything = { ...NO_INVALIDATION, everything: true, at: failed.at };
    this.pending.add(everything);
    this.#failed.add(everything);
  }

  /** Forgets an invalidation that the store has carried out. */
  removePending(pending: PendingInvalidation): void {
    this.pending.delete(pending);
    this.#failed.delete(pending);
  }

  /** The invalidations that the store could not carry out, oldest first. */
  get failed(): readonly PendingInvalidation[] {
    return [...this.#failed];
  }

  /**
   * Returns whether a stored response counts as stale because of a pending invalidation.
   *
   * @param receivedAt milliseconds since the epoch
   * @param earlier invalidations that were pending when the store was asked
   */
  isPendingFor(
    receivedAt: number,
    { digests, urls }: Selectable,
    earlier: readonly PendingInvalidation[] = [],
  ): boolean {
    for (const one of [...earlier, ...this.pending]) {
      if (receivedAt > one.at) continue;
      if (one.everything || one.digests.some((digest) => digests.includes(digest))) return true;
      if (one.patterns.some((pattern) => urls.some((url) => pattern.matches(url)))) return true;
    }
    return false;
  }
}

/** The requests for one key that are in flight, and the responses to them that were stored meanwhile. */
interface KeyOrder {
  inFlight: number;
  /** Place and Vary of the last response of the key, and of each variant. */
  last: StoredPlace | undefined;
  readonly variants: Map<string, StoredPlace>;
  /** Requests before this place are not stored: too many variants were stored since they began. */
  floor: number;
  /** Tags of all requests since the key is in flight. */
  readonly tags: Set<string>;
}

interface StoredPlace {
  readonly place: number;
  readonly vary: string;
}

/**
 * The order of the requests to the origin in this process: of two responses to the same request, the one that was asked
 * for last is stored, whichever ends last. A key is remembered while requests for it are in flight.
 */
export class RequestOrder {
  #last = 0;
  readonly #keys = new Map<string, KeyOrder>();

  /** Begins a request with these tags; returns its place in the order. */
  begin(key: string, tags: readonly string[] = []): number {
    const order = this.#keys.get(key) ?? newOrder();
    this.#keys.set(key, order);
    order.inFlight += 1;
    for (const tag of tags) if (order.tags.size < MAX_REMEMBERED) order.tags.add(tag);
    this.#last += 1;
    return this.#last;
  }

  /**
   * Returns the tags of the requests for a key that are, or were, in flight together. Each of their callers may delete the
   * response by its own tags, whichever response is stored last.
   */
  tagsOf(key: string): readonly string[] {
    return [...(this.#keys.get(key)?.tags ?? [])];
  }

  /** Ends a request that {@link RequestOrder.begin} began. */
  end(key: string): void {
    const order = this.#keys.get(key);
    if (!order) return;
    order.inFlight -= 1;
    if (order.inFlight === 0) this.#keys.delete(key);
  }

  /** Notes that the response of a request is about to be stored; returns false if a later one was. */
  claim(place: number, record: ResponseRecord): boolean {
    const order = this.#keys.get(record.key);
    if (!order) return true;
    if (this.isSuperseded(place, record)) return false;
    const stored = { place, vary: record.vary.join() };
    order.variants.set(record.variant, stored);
    if ((order.last?.place ?? 0) < place) order.last = stored;
    if (order.variants.size > MAX_REMEMBERED) {
      order.floor = this.#last;
      order.variants.clear();
    }
    return true;
  }

  /** Whether the response to a later request was stored, or is about to be. */
  isSuperseded(place: number, record: ResponseRecord): boolean {
    const order = this.#keys.get(record.key);
    if (!order) return false;
    if (place < order.floor || (order.variants.get(record.variant)?.place ?? 0) > place) return true;
    // Another Vary replaces the marker of the variants.
    return order.last !== undefined && order.last.place > place && order.last.vary !== record.vary.join();
  }
}

function newOrder(): KeyOrder {
  return { inFlight: 0, last: undefined, variants: new Map(), floor: 0, tags: new Set() };
}

import type { ResponseRecord } from '../models/record.js';
import { pause } from '../platform/real-time.js';
import type { UrlMatcher } from '../policy/url-pattern.js';
import { groupIndexNames } from '../request/index-names.js';
import { normalizeUrl } from '../request/normalize-url.js';
import type { RequestAccess } from '../stores/circuit-breaker.js';
import type { Store } from '../stores/store.js';
import type { EntryRepository } from './entry-repository.js';
import type { EntryScan } from './entry-scan.js';
import type { Invalidation, PendingInvalidation } from './invalidations.js';

/** The stored responses that a request invalidates. */
export interface InvalidationRequest {
  /** Names in the secondary index, such as `url https://a.com/`. */
  readonly names: readonly string[];
  readonly patterns: readonly UrlMatcher[];
  /** Names in the secondary index whose responses are removed unless they answer a request of this method. */
  readonly exceptMethod?: { readonly method: string; readonly names: readonly string[] } | undefined;
  /** RFC 9875 section 2.2.1: an invalidated response invalidates those that share a group with it, in one step. */
  readonly takesGroupsAlong?: boolean;
}

/** Milliseconds between two attempts for an invalidation that the store could not carry out: at first, and at most. */
const FIRST_RETRY = 1_000;
const LAST_RETRY = 60_000;

/**
 * Carries out the invalidations of requests: at once for the requests in flight of this process, then in the store. Until
 * the store has carried one out, the responses concerned count as stale in this process, and it is tried again.
 */
export class Invalidator {
  readonly #repository: EntryRepository;
  readonly #scan: EntryScan;
  readonly #now: () => number;
  #retrying = false;

  constructor(repository: EntryRepository, scan: EntryScan, now: () => number) {
    this.#repository = repository;
    this.#scan = scan;
    this.#now = now;
    repository.breaker.onRecovery(() => this.#retry());
  }

  /**
   * Invalidates for a request. URLs and tags are removed within the budget of a write; patterns in the background.
   *
   * @param onRemoved receives the numbers of removed responses, also later
   */
  async invalidate(
    { names, patterns, exceptMethod, takesGroupsAlong = false }: InvalidationRequest,
    access: RequestAccess,
    onRemoved: (count: number) => void,
  ): Promise<void> {
    const { breaker, codec, invalidations } = this.#repository;
    if (names.length > 0 || exceptMethod) {
      const pending = this.#begin({ digests: names.flatMap((name) => codec.indexDigests(name)), patterns: [] });
      const others = exceptMethod?.names.flatMap((name) => codec.indexDigests(name)) ?? [];
      const work = async (store: Store) => {
        const groups = takesGroupsAlong ? await this.#groupsOf(store, pending.digests) : [];
        if (groups.length > 0) this.#repository.invalidateInFlight({ digests: groups });
        const removed =
          (await this.#deleteDigests(store, [...pending.digests, ...groups])) +
          (await this.#deleteOthers(store, others, exceptMethod?.method));
        invalidations.removePending(pending);
        return removed;
      };
      const removed = await breaker.write(access, work);
      if (removed === undefined) this.#retry();
      else if (removed > 0) onRemoved(removed);
    }
    if (patterns.length === 0) return;
    const pending = this.#begin({ digests: [], patterns });
    const removing = this.#carryOut(pending).then(
      (removed) => removed > 0 && onRemoved(removed),
      () => this.#retry(),
    );
    breaker.track(removing);
  }

  /** Deletes the responses that a management call invalidates by names in the secondary index. */
  async deleteNamed(names: readonly string[]): Promise<number> {
    const digests = names.flatMap((name) => this.#repository.codec.indexDigests(name));
    this.#repository.invalidateInFlight({ digests });
    return this.#repository.breaker.manage((store) => this.#deleteDigests(store, digests));
  }

  /** Deletes the responses of keys, also through redirects; resolves to their number. */
  async deleteKeys(keys: readonly string[]): Promise<number> {
    const groups = new Set<string>();
    for (const key of keys) for (const group of await this.#repository.groupsOfKey(key)) groups.add(group);
    if (groups.size > 0) this.#repository.invalidateInFlight({ digests: [...groups] });
    return this.#repository.deleteGroups([...groups]);
  }

  /** Deletes the responses whose asked or final URL matches. */
  async deleteMatching(patterns: readonly UrlMatcher[]): Promise<number> {
    this.#repository.invalidateInFlight({ patterns });
    return this.#scan.deleteGroupsMatching((record) => matchesUrl(record, patterns));
  }

  #begin(invalidation: Omit<Invalidation, 'everything'>): PendingInvalidation {
    const { invalidations } = this.#repository;
    invalidations.record({ ...invalidation, everything: false });
    return invalidations.addPending({ ...invalidation, everything: false }, this.#now());
  }

  async #carryOut(pending: PendingInvalidation): Promise<number> {
    const { digests, patterns } = pending;
    let removed = 0;
    if (digests.length > 0)
      removed += await this.#repository.breaker.manage((store) => this.#deleteDigests(store, digests));
    if (patterns.length > 0) removed += await this.#scan.deleteGroupsMatching((record) => matchesUrl(record, patterns));
    this.#repository.invalidations.removePending(pending);
    return removed;
  }

  /** The stamps come first: responses that were requested before are then refused, and those stored before are deleted. */
  async #deleteDigests(store: Store, digests: readonly string[]): Promise<number> {
    if (digests.length === 0) return 0;
    await store.invalidate?.(digests);
    const groups = new Set<string>();
    for (const index of digests) for await (const { group } of store.list({ index })) groups.add(group);
    return groups.size === 0 ? 0 : store.deleteGroups([...groups]);
  }

  /** Digests of the cache groups of the responses that have one of these digests. */
  async #groupsOf(store: Store, digests: readonly string[]): Promise<readonly string[]> {
    const groups = new Set<string>();
    for (const index of digests) {
      for await (const summary of store.list({ index, kind: 'response' })) {
        const decoded = await this.#repository.codec.decodeSummary(summary);
        if ('invalid' in decoded || decoded.record.kind !== 'response') continue;
        for (const name of groupIndexNames(decoded.record)) {
          for (const digest of this.#repository.codec.indexDigests(name)) groups.add(digest);
        }
      }
    }
    return [...groups];
  }

  async #deleteOthers(store: Store, digests: readonly string[], method: string | undefined): Promise<number> {
    const ids: string[] = [];
    for (const index of digests) {
      for await (const summary of store.list({ index, kind: 'response' })) {
        const decoded = await this.#repository.codec.decodeSummary(summary);
        const isOther = 'invalid' in decoded || (decoded.record as ResponseRecord).request.method !== method;
        if (isOther) ids.push(summary.id);
      }
    }
    return ids.length === 0 ? 0 : store.delete(ids);
  }

  /** Tries the pending invalidations again, with growing pauses, until none is left. */
  #retry(): void {
    if (this.#retrying) return;
    this.#retrying = true;
    void this.#retryAll().finally(() => {
      this.#retrying = false;
    });
  }

  async #retryAll(): Promise<void> {
    const { breaker, invalidations } = this.#repository;
    for (let wait = FIRST_RETRY; !breaker.closed; wait = Math.min(wait * 2, LAST_RETRY)) {
      if (breaker.state === 'closed') {
        for (const pending of invalidations.pending) await this.#carryOut(pending).catch(() => {});
      }
      if (!invalidations.hasPending) return;
      await pause(wait);
    }
  }
}

function matchesUrl({ url, request }: ResponseRecord, patterns: readonly UrlMatcher[]): boolean {
  const urls = new Set([url, request.url].map((one) => (URL.canParse(one) ? normalizeUrl(one) : one)));
  return patterns.some((pattern) => [...urls].some((one) => pattern.matches(one)));
}

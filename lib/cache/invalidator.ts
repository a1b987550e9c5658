import { UnsupportedOperationError } from '../errors.js';
import { pause } from '../platform/real-time.js';
import type { UrlMatcher } from '../policy/url-pattern.js';
import type { RequestAccess } from '../stores/circuit-breaker.js';
import type { Store } from '../stores/store.js';
import type { EntryRepository } from './entry-repository.js';
import type { EntryScan } from './entry-scan.js';
import { type Invalidation, NO_INVALIDATION, type PendingInvalidation } from './invalidations.js';
import { deleteNamed, deleteOtherMethods, groupsOfUrls, type OtherMethods } from './named-deletion.js';
import { matchesUrl } from './record-urls.js';

/** The stored responses that a request invalidates. */
export interface InvalidationRequest {
  /** Names in the secondary index, such as `url https://a.com/`. */
  readonly names: readonly string[];
  readonly patterns: readonly UrlMatcher[];
  /** Responses that are removed unless they answer a request of this method. */
  readonly exceptMethod?: OtherMethods | undefined;
  /**
   * RFC 9875 section 2.2.1: a response that its URL invalidates also invalidates those that share a group with it. One that
   * a group invalidates does not.
   */
  readonly takesGroupsAlong?: boolean;
}

/** Receives the outcomes of an invalidation, also later. */
export interface InvalidationObserver {
  /** Called with the number of removed responses. */
  onRemoved(count: number): void;
  /** Called if the work in the background fails; it is then tried again. */
  onFailed(error: unknown): void;
}

/** Milliseconds between two attempts for an invalidation that the store could not carry out: at first, and at most. */
const FIRST_RETRY = 1_000;
const LAST_RETRY = 60_000;

/** An invalidation with the work that it is in the store. */
interface PendingWork extends PendingInvalidation {
  /** Resolves to the number of removed responses. */
  readonly run: () => Promise<number>;
}

/**
 * Carries out invalidations: at once for the requests in flight of this process, then in the store. Until the store has
 * carried one out, the responses concerned count as stale in this process, and it is tried again.
 */
export class Invalidator {
  readonly #repository: EntryRepository;
  readonly #scan: EntryScan;
  readonly #now: () => number;
  #retrying = false;
  #wake: AbortController | undefined;

  constructor(repository: EntryRepository, scan: EntryScan, now: () => number) {
    this.#repository = repository;
    this.#scan = scan;
    this.#now = now;
    repository.breaker.onRecovery(() => {
      this.#wake?.abort();
      this.#retry();
    });
  }

  /**
   * Invalidates for a request. URLs and tags are removed within the budget of a write; patterns in the background.
   *
   * @returns the number of steps in the sequence of invalidations that it took
   */
  async invalidate(
    request: InvalidationRequest,
    access: RequestAccess,
    observer: InvalidationObserver,
  ): Promise<number> {
    const { names, patterns, exceptMethod } = request;
    let steps = 0;
    // Both are begun before the first pause, so that no request joins or stores in between.
    if (patterns.length > 0) {
      this.#inBackground(this.#beginPatterns(patterns), observer);
      steps += 1;
    }
    if (names.length > 0 || exceptMethod) steps += await this.#invalidateNames(request, access, observer);
    return steps;
  }

  async #invalidateNames(
    request: InvalidationRequest,
    access: RequestAccess,
    observer: InvalidationObserver,
  ): Promise<number> {
    const { breaker, codec } = this.#repository;
    let steps = 1;
    const onGroups = () => {
      steps += 1;
    };
    const work = (store: Store) => this.#deleteRequested(store, request, onGroups);
    const pending = this.#begin(
      { digests: request.names.flatMap((name) => codec.indexDigests(name)) },
      { run: () => breaker.manage(work) },
    );
    let removed: number | undefined;
    try {
      // If the budget ends first, the work continues, and a second attempt does no harm.
      removed = await breaker.write(access, (store) => work(store).then((count) => this.#done(pending, count)));
    } finally {
      if (removed === undefined) this.#failed(pending);
    }
    if (removed) observer.onRemoved(removed);
    return steps;
  }

  /** Deletes the responses that a management call invalidates by names in the secondary index. */
  deleteNamed(names: readonly string[]): Promise<number> {
    const digests = names.flatMap((name) => this.#repository.codec.indexDigests(name));
    const run = () => this.#repository.breaker.manage((store) => deleteNamed(store, this.#repository.codec, names));
    return this.#manage(this.#begin({ digests }, { run }));
  }

  /** Deletes the responses of keys, also through redirects; resolves to their number. */
  deleteKeys(keys: readonly string[]): Promise<number> {
    const run = async () => {
      const groups = new Set<string>();
      for (const key of keys) for (const group of await this.#repository.groupsOfKey(key)) groups.add(group);
      const names = [...groups];
      const isStamped = await this.#repository.refuseOlder(names);
      const removed = await this.#repository.deleteGroups(names);
      if (!isStamped) await this.#repository.refuseOlder(names);
      return removed;
    };
    return this.#manage(this.#begin({ digests: keys.flatMap((key) => this.#repository.codec.names(key)) }, { run }));
  }

  /** Deletes the responses whose asked or final URL matches. */
  deleteMatching(patterns: readonly UrlMatcher[]): Promise<number> {
    return this.#manage(this.#beginPatterns(patterns));
  }

  /** Deletes every entry; resolves to the number of responses, 0 if the store cannot count them. */
  async clear(): Promise<number> {
    let isFirst = true;
    const run = async (): Promise<number> => {
      const stamp = () => this.#repository.breaker.manage((store) => store.invalidate?.([]));
      // A damaged or full store may record no invalidation until it is cleared.
      const isStamped = await stamp().then(
        () => true,
        () => false,
      );
      // A later attempt keeps what was stored meanwhile.
      const removed = isFirst ? await this.#scan.clear() : await this.#deleteReceivedUntil(pending.at);
      isFirst = false;
      if (!isStamped) await stamp();
      return removed;
    };
    const pending = this.#begin({ everything: true }, { run });
    return this.#manage(pending);
  }

  /** Deletes every response, with the redirects to them. */
  async clearResponses(): Promise<void> {
    const run = async () => {
      await this.#repository.breaker.manage((store) => store.invalidate?.([]));
      return this.#scan.deleteResponses();
    };
    await this.#manage(this.#begin({ everything: true }, { run }));
  }

  #begin(invalidation: Partial<Invalidation>, { run }: Pick<PendingWork, 'run'>): PendingWork {
    const { invalidations } = this.#repository;
    const pending = { ...NO_INVALIDATION, ...invalidation, at: this.#now(), run };
    invalidations.record(pending);
    invalidations.addPending(pending);
    return pending;
  }

  #beginPatterns(patterns: readonly UrlMatcher[]): PendingWork {
    const run = () => this.#scan.deleteGroupsMatching((record) => matchesUrl(record, patterns));
    return this.#begin({ patterns }, { run });
  }

  #done(pending: PendingInvalidation, removed: number): number {
    this.#repository.invalidations.removePending(pending);
    return removed;
  }

  #failed(pending: PendingInvalidation): void {
    this.#repository.invalidations.keepFailed(pending);
    this.#retry();
  }

  /** @throws the store's error; the invalidation is then tried again, unless the store can never carry it out */
  async #manage(pending: PendingWork): Promise<number> {
    try {
      return await this.#carryOut(pending);
    } catch (error) {
      if (error instanceof UnsupportedOperationError) this.#done(pending, 0);
      throw error;
    }
  }

  /** @throws the store's error; the invalidation is then tried again */
  async #carryOut(pending: PendingInvalidation): Promise<number> {
    try {
      const work = 'run' in pending ? (pending as PendingWork).run() : this.#deleteReceivedUntil(pending.at);
      return this.#done(pending, await work);
    } catch (error) {
      this.#failed(pending);
      throw error;
    }
  }

  #inBackground(pending: PendingWork, { onRemoved, onFailed }: InvalidationObserver): void {
    const removing = this.#carryOut(pending).then((removed) => removed > 0 && onRemoved(removed), onFailed);
    this.#repository.breaker.track(removing);
  }

  #deleteReceivedUntil(at: number): Promise<number> {
    return this.#scan.deleteMatching(() => this.#scan.summaries({ receivedBefore: at + 1 }));
  }

  async #deleteRequested(store: Store, request: InvalidationRequest, onGroups: () => void): Promise<number> {
    const { codec } = this.#repository;
    const { names, exceptMethod, takesGroupsAlong = false } = request;
    const groups = takesGroupsAlong ? await groupsOfUrls(store, codec, request) : [];
    if (groups.length > 0) {
      this.#repository.invalidateInFlight({ digests: groups });
      onGroups();
    }
    const removed = await deleteNamed(store, codec, names, groups);
    return exceptMethod ? removed + (await deleteOtherMethods(store, codec, exceptMethod)) : removed;
  }

  /** Tries the failed invalidations again, with growing pauses and after each outage, until none is left. */
  #retry(): void {
    if (this.#retrying) return;
    this.#retrying = true;
    void this.#retryAll().finally(() => {
      this.#retrying = false;
    });
  }

  async #retryAll(): Promise<void> {
    const { breaker, invalidations } = this.#repository;
    for (let wait = FIRST_RETRY; invalidations.failed.length > 0; wait = Math.min(wait * 2, LAST_RETRY)) {
      this.#wake = new AbortController();
      await pause(wait, { signal: this.#wake.signal }).catch(() => {});
      if (breaker.closed) return;
      if (breaker.state !== 'closed') continue;
      for (const pending of invalidations.failed) await this.#carryOut(pending).catch(() => {});
    }
  }
}

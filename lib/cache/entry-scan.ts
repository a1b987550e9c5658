import type { EntrySummary } from '../models/entry.js';
import { type Lifetime, type ResponseRecord, type StoredRecord, withLifetime } from '../models/record.js';
import type { InvalidReason } from '../policy/reasons.js';
import { isFresh } from '../policy/stale.js';
import { tagIndexName } from '../request/index-names.js';
import { MANAGEMENT } from '../stores/circuit-breaker.js';
import { countListed, countOf, fromFuture } from '../stores/entry-query.js';
import type { EntryQuery } from '../stores/store.js';
import { EntryChanges } from './entry-changes.js';
import type { EntryRepository } from './entry-repository.js';
import { deleteResponses } from './named-deletion.js';

/** An entry that cannot be read, as `filter({ invalid: true })` yields it. */
export interface InvalidResponse {
  /** Storage key. */
  readonly id: string;
  readonly invalid: InvalidReason;
  /** Bytes. */
  readonly size: number;
}

/** An entry whose summary was decoded; the `body` of its record is empty. */
export interface ScannedEntry<T extends StoredRecord = StoredRecord> {
  readonly id: string;
  readonly group: string;
  /** Bytes. */
  readonly size: number;
  readonly record: T;
}

/** Entries that are deleted with one call to the store. */
const BATCH = 500;
/** Entries that are read, or written, at once, and their bytes. */
const READ_AHEAD = 32;
const READ_AHEAD_SIZE = 4_000_000;

/** Passes over the entries of a cache, for management: in bounded memory, with a time limit for each step. */
export class EntryScan {
  readonly #repository: EntryRepository;

  constructor(repository: EntryRepository) {
    this.#repository = repository;
  }

  /**
   * Responses without their bodies; unreadable ones are left out.
   *
   * @param tags only responses with one of them, which the secondary index finds. Default: all
   */
  async *responses(query: EntryQuery = {}, tags?: readonly string[]): AsyncGenerator<ScannedEntry<ResponseRecord>> {
    const wanted: EntryQuery = { ...query, kind: 'response' };
    const entries = tags ? this.#named(tags.map(tagIndexName), wanted) : this.summaries(wanted);
    for await (const entry of entries) {
      if (!('record' in entry) || entry.record.kind !== 'response') continue;
      const { record } = entry;
      if (!tags || record.tags.some((tag) => tags.includes(tag))) yield entry as ScannedEntry<ResponseRecord>;
    }
  }

  /** Entries that cannot be read. @param tags only entries that were stored with one of them. Default: all */
  async *unreadable(tags?: readonly string[]): AsyncGenerator<InvalidResponse> {
    const entries = tags ? this.#named(tags.map(tagIndexName), {}) : this.summaries();
    for await (const entry of entries) if ('invalid' in entry) yield entry;
  }

  /** Entries that have one of these names in the secondary index, each once. */
  async *#named(names: readonly string[], query: EntryQuery): AsyncGenerator<ScannedEntry | InvalidResponse> {
    const digests = [...new Set(names.flatMap((name) => this.#repository.codec.indexDigests(name)))];
    const seen = new Set<string>();
    for (const index of digests) {
      for await (const entry of this.summaries({ ...query, index })) {
        if (seen.has(entry.id)) continue;
        if (digests.length > 1) seen.add(entry.id);
        yield entry;
      }
    }
  }

  /** The key of each response, once. */
  async *keys(): AsyncGenerator<string> {
    let last: string | undefined;
    const varying = new Set<string>();
    for await (const { record } of this.responses()) {
      if (record.key === last || varying.has(record.key)) continue;
      // Only keys with variants can appear again, so that only those are remembered.
      if (record.variant) varying.add(record.key);
      last = record.key;
      yield record.key;
    }
  }

  /** Entries of any kind without bodies, readable or not. */
  async *summaries(query: EntryQuery = {}): AsyncGenerator<ScannedEntry | InvalidResponse> {
    for await (const summary of this.#list(query)) yield await this.#decode(summary);
  }

  /** Whole responses. @param tags as those of {@link EntryScan.responses} */
  async *whole(query: EntryQuery = {}, tags?: readonly string[]): AsyncGenerator<ResponseRecord> {
    for await (const batch of this.wholeBatches(query, tags)) yield* batch;
  }

  /** Whole responses in batches that are read at once: a server answers them in one round trip. */
  async *wholeBatches(query: EntryQuery = {}, tags?: readonly string[]): AsyncGenerator<readonly ResponseRecord[]> {
    for await (const batch of inBatches(this.responses(query, tags))) {
      const records = await Promise.all(batch.map(({ record }) => this.#repository.reread(record, MANAGEMENT)));
      yield records.filter((record) => record !== undefined);
    }
  }

  /** Redirects, or variant markers with their key. */
  async *others(query: EntryQuery & { readonly kind: 'redirect' | 'variants' }): AsyncGenerator<StoredRecord> {
    for await (const entry of this.summaries(query)) if ('record' in entry) yield entry.record;
  }

  /** Stores all entries again with another lifetime. */
  async rewriteLifetimes(lifetime: Lifetime): Promise<void> {
    const rewrite = this.#lifetimeRewriter(lifetime);
    for await (const batch of inBatches(this.responses()))
      await Promise.all(batch.map(({ record }) => rewrite(record)));
    for (const kind of ['redirect', 'variants'] as const)
      for await (const record of this.others({ kind })) await rewrite(record);
  }

  /** Stores these responses, and the redirects to them, again with another lifetime. */
  async rewriteLifetimesOf(responses: AsyncIterable<ScannedEntry<ResponseRecord>>, lifetime: Lifetime): Promise<void> {
    const rewrite = this.#lifetimeRewriter(lifetime);
    const stamps = new Set<string>();
    const groups = new Set<string>();
    for await (const batch of inBatches(responses)) {
      for (const { group, record } of batch) {
        groups.add(group);
        stamps.add(record.stamp);
      }
      await Promise.all(batch.map(({ record }) => rewrite(record)));
    }
    for (const group of groups) {
      for await (const record of this.others({ group, kind: 'redirect' }))
        if (record.kind === 'redirect' && stamps.has(record.stamp)) await rewrite(record);
    }
  }

  #lifetimeRewriter(lifetime: Lifetime): (record: StoredRecord) => Promise<boolean> {
    const changes = new EntryChanges(this.#repository);
    return (record) => changes.change(record, (present) => withLifetime(present, lifetime));
  }

  /** Deletes the entries that match; resolves to the number of responses. */
  deleteMatching<T extends { readonly id: string }>(
    list: () => AsyncIterable<T>,
    matches: (entry: T) => boolean = () => true,
  ): Promise<number> {
    return deleteListed(list, matches, (batch) => this.#repository.deleteExact(batch.map(({ id }) => id)));
  }

  /** Deletes responses, and redirects to them if no other variant is left; resolves to the number of responses. */
  deleteResponses(query: EntryQuery = {}): Promise<number> {
    return deleteListed(
      () => this.responses(query),
      () => true,
      (batch) => {
        const groups = new Map(batch.map(({ id, group }) => [id, group]));
        return this.#repository.breaker.manage((store) => deleteResponses(store, groups));
      },
    );
  }

  /** Deletes the groups of the responses that match, redirects to them included; resolves to the number of responses. */
  async deleteGroupsMatching(matches: (record: ResponseRecord) => boolean, query: EntryQuery = {}): Promise<number> {
    let removed = 0;
    const groups = new Set<string>();
    const deleteFound = async () => {
      removed += await this.#repository.deleteGroups([...groups]);
      groups.clear();
    };
    for await (const { group, record } of this.responses(query)) {
      if (matches(record)) groups.add(group);
      if (groups.size >= BATCH) await deleteFound();
    }
    await deleteFound();
    return removed;
  }

  count(query: EntryQuery = {}): Promise<number> {
    const { breaker } = this.#repository;
    if (!breaker.store.count) return countListed(this.#list(query), query);
    return breaker.manage((store) => countOf(store, query));
  }

  /**
   * Deletes expired entries; resolves to the number of responses. A store with an index finds those from the future only by
   * a pass over all entries, which is made if this process stored some before its clock was set back.
   */
  async deleteExpired(now: number): Promise<number> {
    const { breaker, latestReceivedAt } = this.#repository;
    const isExpired = (entry: EntrySummary) => entry.kind !== 'unknown' && !isFresh(entry, now);
    const steps = breaker.store.deleteExpired?.bind(breaker.store);
    if (!steps) return this.deleteMatching(() => this.#list({}), isExpired);
    let removed = 0;
    for await (const number of breaker.iterate(() => steps(now))) removed += number;
    if (latestReceivedAt <= now) return removed;
    removed += await this.deleteMatching(() => this.#list(fromFuture(now)), isExpired);
    this.#repository.latestReceivedAt = now;
    return removed;
  }

  /**
   * Deletes every entry. Resolves to the number of responses before; to 0 if the store would have to read every entry for
   * it, or fails to count: an entry or a time limit that prevents the count must not prevent the deletion.
   */
  async clear(): Promise<number> {
    const { breaker } = this.#repository;
    const number = await breaker.manage((store) => store.count?.() ?? 0).catch(() => 0);
    for await (const _ of breaker.iterate((store) => store.clear()));
    return number;
  }

  #list(query: EntryQuery): AsyncIterable<EntrySummary> {
    return this.#repository.breaker.iterate((store) => store.list(query));
  }

  async #decode(summary: EntrySummary): Promise<ScannedEntry | InvalidResponse> {
    const decoded = await this.#repository.codec.decodeSummary(summary);
    const { id, group, size } = summary;
    return 'record' in decoded ? { id, group, size, record: decoded.record } : { id, size, invalid: decoded.invalid };
  }
}

/** Entries in batches of bounded size. */
async function* inBatches<T extends { readonly size: number }>(
  entries: AsyncIterable<T>,
): AsyncGenerator<readonly T[]> {
  let [batch, bytes]: [T[], number] = [[], 0];
  for await (const entry of entries) {
    batch.push(entry);
    bytes += entry.size;
    if (batch.length < READ_AHEAD && bytes < READ_AHEAD_SIZE) continue;
    yield batch;
    [batch, bytes] = [[], 0];
  }
  if (batch.length > 0) yield batch;
}

/**
 * Deletes the listed entries that match, in batches; resolves to the number of responses. If entries were deleted during the
 * listing it lists again, since the iterators of some stores skip entries then.
 */
async function deleteListed<T>(
  list: () => AsyncIterable<T>,
  matches: (entry: T) => boolean,
  deleteBatch: (batch: readonly T[]) => Promise<number>,
): Promise<number> {
  let removed = 0;
  for (;;) {
    const before = removed;
    let batch: T[] = [];
    let deletedMeanwhile = false;
    for await (const entry of list()) {
      if (!matches(entry)) continue;
      batch.push(entry);
      if (batch.length < BATCH) continue;
      removed += await deleteBatch(batch);
      batch = [];
      deletedMeanwhile = true;
    }
    if (batch.length > 0) removed += await deleteBatch(batch);
    if (!deletedMeanwhile || removed === before) return removed;
  }
}

import type { ResponseRecord } from '../models/record.js';
import type { UrlMatcher } from '../policy/url-pattern.js';
import { MANAGEMENT } from '../stores/circuit-breaker.js';
import type { EntryRepository } from './entry-repository.js';
import type { EntryScan, ScannedEntry } from './entry-scan.js';
import type { ParsedDeletion, ParsedFilter, Sortable } from './queries.js';
import { matchesUrl } from './record-urls.js';

/** Responses by URLs of any part of their redirect chains, by tags, or by patterns. */
export interface RecordSelection {
  /** Names in the secondary index. */
  readonly urlNames: readonly string[];
  readonly tags: readonly string[];
  readonly patterns: readonly UrlMatcher[];
}

/** Yields the responses that a selection applies to, each once. Only patterns need a pass over all responses. */
export async function* selectedResponses(
  repository: EntryRepository,
  scan: EntryScan,
  { urlNames, tags, patterns }: RecordSelection,
): AsyncGenerator<ScannedEntry<ResponseRecord>> {
  const seen = new Set<string>();
  const unseen = ({ id }: ScannedEntry) => !seen.has(id) && seen.add(id);
  for (const group of await repository.groupsOfIndex(urlNames))
    for await (const entry of scan.responses({ group })) if (unseen(entry)) yield entry;
  if (tags.length > 0) for await (const entry of scan.responses({}, tags)) if (unseen(entry)) yield entry;
  if (patterns.length === 0) return;
  for await (const entry of scan.responses())
    if (matchesUrl(entry.record, patterns) && !seen.has(entry.id)) yield entry;
}

/** Yields the readable responses that a filter selects, sorted if it says so: then heads are sorted in memory. */
export async function* selectResponses(
  repository: EntryRepository,
  scan: EntryScan,
  filter: ParsedFilter,
): AsyncGenerator<ResponseRecord> {
  const { queries, tags, accepts, compare } = filter;
  if (!compare) {
    for (const query of queries) {
      for await (const record of scan.whole(query, tags)) if (accepts(record)) yield record;
    }
    return;
  }
  const sorted: Sortable[] = [];
  for await (const { record, size } of listSelected(scan, filter)) sorted.push({ record, size });
  for (const { record } of sorted.sort(compare)) {
    const whole = await repository.reread(record, MANAGEMENT);
    if (whole) yield whole;
  }
}

/** Counts the entries that a filter selects. */
export async function countSelected(scan: EntryScan, filter: ParsedFilter): Promise<number> {
  let count = 0;
  for await (const _ of listSelected(scan, filter)) count += 1;
  if (filter.invalid) for await (const _ of scan.unreadable(filter.tags)) count += 1;
  return count;
}

async function* listSelected(
  scan: EntryScan,
  { queries, tags, accepts }: ParsedFilter,
): AsyncGenerator<ScannedEntry<ResponseRecord>> {
  for (const query of queries) {
    for await (const entry of scan.responses(query, tags)) if (accepts(entry.record)) yield entry;
  }
}

/** Deletes expired, old and unreadable entries; resolves to the number of responses. */
export async function deleteByState(
  scan: EntryScan,
  { expired, invalid, receivedBefore }: ParsedDeletion,
  now: number,
): Promise<number> {
  let removed = expired ? await scan.deleteExpired(now) : 0;
  if (receivedBefore !== undefined) removed += await scan.deleteResponses({ receivedBefore });
  if (!invalid) return removed;
  return removed + (await scan.deleteMatching(() => scan.unreadable()));
}

import type { ResponseRecord } from '../models/record.js';
import type { UrlMatcher } from '../policy/url-pattern.js';
import { MANAGEMENT } from '../stores/circuit-breaker.js';
import type { EntryRepository } from './entry-repository.js';
import type { EntryScan } from './entry-scan.js';
import type { ParsedDeletion, ParsedFilter, Sortable } from './queries.js';
import { matchesUrl } from './record-urls.js';

/** Responses by URLs of any part of their redirect chains, by tags, or by patterns. */
export interface RecordSelection {
  /** Names in the secondary index. */
  readonly urlNames: readonly string[];
  readonly tags: readonly string[];
  readonly patterns: readonly UrlMatcher[];
}

/** Whether a response has one of the tags; without tags every response does. */
function hasTag({ tags }: ResponseRecord, wanted: readonly string[] | undefined): boolean {
  return wanted === undefined || tags.some((tag) => wanted.includes(tag));
}

/** Returns a function that decides whether a selection applies to a response. */
export async function selectorOf(
  repository: EntryRepository,
  { urlNames, tags, patterns }: RecordSelection,
): Promise<(record: ResponseRecord) => boolean> {
  const groups = new Set(await repository.groupsOfIndex(urlNames));
  return (record) =>
    (tags.length > 0 && hasTag(record, tags)) ||
    matchesUrl(record, patterns) ||
    (groups.size > 0 && repository.codec.names(record.key).some((name) => groups.has(name)));
}

/** Yields the readable responses that a filter selects, sorted if it says so: then heads are sorted in memory. */
export async function* selectResponses(
  repository: EntryRepository,
  scan: EntryScan,
  { query, tags, compare }: ParsedFilter,
): AsyncGenerator<ResponseRecord> {
  if (!query) return;
  if (!compare) {
    for await (const record of scan.whole(query)) if (hasTag(record, tags)) yield record;
    return;
  }
  const sorted: Sortable[] = [];
  for await (const { record, size } of scan.responses(query)) if (hasTag(record, tags)) sorted.push({ record, size });
  for (const { record } of sorted.sort(compare)) {
    const whole = await repository.reread(record, MANAGEMENT);
    if (whole) yield whole;
  }
}

/** Counts the entries that a filter selects. */
export async function countSelected(scan: EntryScan, { query, invalid, tags }: ParsedFilter): Promise<number> {
  let count = 0;
  if (query) for await (const { record } of scan.responses(query)) if (hasTag(record, tags)) count += 1;
  if (invalid) for await (const entry of scan.summaries()) if ('invalid' in entry) count += 1;
  return count;
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
  return (
    removed +
    (await scan.deleteMatching(
      () => scan.summaries(),
      (entry) => 'invalid' in entry,
    ))
  );
}

import { optionError } from '../errors.js';
import { type ExpirationTime, expiresAt, isDoNotCache, parseExpiration } from '../policy/expiration.js';
import { tagIndexName } from '../request/index-names.js';
import type { ClientRecords } from './client-records.js';
import type { EntryRepository } from './entry-repository.js';
import type { EntryScan } from './entry-scan.js';
import { parseSelection, type ResponseSelection } from './queries.js';
import { selectorOf } from './selection.js';

/** The parts of a cache that {@link resetExpiration} uses. */
export interface ResetParts {
  readonly repository: EntryRepository;
  readonly scan: EntryScan;
  readonly records: ClientRecords;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Gives stored responses a new freshness lifetime, counted from now; 0: stale now, but kept. */
export async function resetExpiration(
  { repository, scan, records, now }: ResetParts,
  expireAfter: ExpirationTime,
  selection: ResponseSelection | undefined,
): Promise<void> {
  const lifetime = parseExpiration(expireAfter);
  if (!lifetime) throw optionError('expireAfter', expireAfter, 'a value of expireAfter');
  const staleAt = isDoNotCache(lifetime) ? now() : expiresAt(lifetime, now());
  // A response that is asked for before it is set to expire is not stored after that.
  const expiresNow = staleAt <= now();
  if (selection === undefined) {
    if (expiresNow) repository.invalidateInFlight({ everything: true });
    await scan.rewriteStaleAt(staleAt);
    return;
  }
  const { tags, urls, patterns } = parseSelection(selection);
  const urlNames = urls.map((url) => records.indexName(url));
  if (expiresNow) {
    const digests = repository.indexes([...urlNames, ...tags.map(tagIndexName)]);
    repository.invalidateInFlight({ digests, patterns });
  }
  await scan.rewriteStaleAt(staleAt, await selectorOf(repository, { urlNames, tags, patterns }));
}

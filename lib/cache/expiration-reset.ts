import { optionError } from '../errors.js';
import { type ResponseRecord, withLifetime } from '../models/record.js';
import { ACCEPTED_TIMES, type ExpirationTime, expiresAt, isDoNotCache, parseExpiration } from '../policy/expiration.js';
import { tagIndexName } from '../request/index-names.js';
import type { ClientRecords } from './client-records.js';
import { EntryChanges } from './entry-changes.js';
import type { EntryRepository } from './entry-repository.js';
import type { EntryScan } from './entry-scan.js';
import { parseSelection, type ResponseSelection } from './queries.js';
import { selectedResponses } from './selection.js';

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
  if (!lifetime) throw optionError('expireAfter', expireAfter, ACCEPTED_TIMES);
  const given = now();
  const staleAt = isDoNotCache(lifetime) ? given : expiresAt(lifetime, given);
  // A response that is asked for before it is set to expire is not stored after that.
  const expiresNow = staleAt <= given;
  if (selection === undefined) {
    if (expiresNow) await repository.refuseOlder([]);
    await scan.rewriteLifetimes({ staleAt, now: given });
    return;
  }
  const { tags, urls, patterns } = parseSelection(selection);
  const urlNames = urls.map((url) => records.indexName(url));
  if (expiresNow) {
    const digests = repository.indexes([...urlNames, ...tags.map(tagIndexName)]);
    repository.invalidateInFlight({ patterns });
    if (digests.length > 0) await repository.refuseOlder(digests);
  }
  const selected = selectedResponses(repository, scan, { urlNames, tags, patterns });
  await scan.rewriteLifetimesOf(selected, { staleAt, now: given });
}

/** Notes that a redirect to a response is stored under a key, so that it is renewed with the response. */
export async function addAlias(repository: EntryRepository, response: ResponseRecord, key: string): Promise<void> {
  await new EntryChanges(repository).change(response, (current) =>
    current.stamp === response.stamp && !current.aliases?.includes(key)
      ? { ...current, aliases: [...(current.aliases ?? []), key] }
      : undefined,
  );
}

/** Keeps the new lifetime of a response if it is still stored: a deletion or another response meanwhile remains. */
export async function keepLifetime(repository: EntryRepository, changed: ResponseRecord, now: number): Promise<void> {
  const { stamp, staleAt } = changed;
  await new EntryChanges(repository).change(changed, (current) =>
    current.stamp === stamp ? withLifetime(current, { staleAt, now }) : undefined,
  );
}

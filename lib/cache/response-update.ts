import { optionError } from '../errors.js';
import { CachedResponse } from '../models/cached-response.js';
import type { BodyForm, ResponseRecord } from '../models/record.js';
import { bytesOf } from '../platform/bytes.js';
import { randomHex16 } from '../platform/random.js';
import { type ContentKind, changedContentFields, hasWholeContent } from '../policy/changed-content.js';
import { canParseUrl } from '../policy/parse-url.js';
import type { ClientRecords } from './client-records.js';
import { EntryChanges } from './entry-changes.js';
import type { EntryRepository } from './entry-repository.js';
import type { EntryScan } from './entry-scan.js';

/**
 * Returns the new body of a stored response: text, bytes, or another value as JSON, or a promise of one of these.
 * `undefined`: the response stays as it is.
 */
export type ResponseChange = (response: CachedResponse) => unknown;

/** The parts of a cache that an update of responses uses. */
export interface UpdateParts {
  readonly repository: EntryRepository;
  readonly scan: EntryScan;
  readonly records: ClientRecords;
  readonly present: (record: ResponseRecord) => CachedResponse;
}

/**
 * Replaces the bodies of the responses of a key, a URL or a request; resolves to their number.
 *
 * @throws TypeError for a wrong argument
 */
export async function updateResponses(
  { repository, scan, records, present }: UpdateParts,
  what: unknown,
  change: unknown,
): Promise<number> {
  if (typeof change !== 'function') throw optionError('change', change, 'a function of the stored response');
  const changes = new EntryChanges(repository);
  const { groups, digests } = await selectedBy(repository, records, what);
  // An answer that was asked for before would undo the change, and so would a 304 to a request that began during it.
  const refuseOlder = () => repository.refuseOlder(digests);
  let found = 0;
  let changed = 0;
  for (const group of groups) {
    for await (const { record } of scan.responses({ group })) {
      if (!hasWholeContent(record.request.method, record.status)) continue;
      if (found === 0) await refuseOlder();
      found += 1;
      const isChanged = await changes.change(record, async (current) => {
        const value = await change(present(current));
        return value === undefined ? undefined : withBody(current, value);
      });
      if (!isChanged) continue;
      changed += 1;
      await refuseOlder();
    }
  }
  return changed;
}

/** The groups of a key, else of a URL, or of a request, and the digests by which requests for them are found. */
async function selectedBy(
  repository: EntryRepository,
  records: ClientRecords,
  what: unknown,
): Promise<{ readonly groups: readonly string[]; readonly digests: readonly string[] }> {
  const ofKey = async (key: string) => {
    const groups = await repository.groupsOfKey(key);
    return { groups, digests: groups };
  };
  if (typeof what === 'object' && what !== null && !Array.isArray(what) && !(what instanceof CachedResponse))
    return ofKey(await records.keyOf(what));
  if (typeof what !== 'string' || what === '')
    throw optionError('what', what, 'a key, an absolute URL, an axios config, or a stored request');
  if (!canParseUrl(what) || (await repository.newest(what)) !== undefined) return ofKey(what);
  const names = [records.indexName(what)];
  const groups = await repository.groupsOfIndex(names);
  return { groups, digests: [...groups, ...repository.indexes(names)] };
}

/** Returns the record with another body. @throws TypeError for a value that is neither text, nor bytes, nor JSON */
function withBody(record: ResponseRecord, value: unknown): ResponseRecord {
  const [kind, body] = contentOf(value);
  const headers = changedContentFields(record.headers, kind, body.byteLength);
  return { ...record, headers, body, bodyForm: formOf(record.bodyForm, kind), revision: randomHex16() };
}

function contentOf(value: unknown): readonly [ContentKind, Uint8Array] {
  if (typeof value === 'string') return ['text', Buffer.from(value)];
  // A copy: the caller may change the bytes later.
  const bytes = bytesOf(value);
  return bytes ? ['bytes', Buffer.from(bytes)] : ['json', Buffer.from(jsonOf(value))];
}

function jsonOf(value: unknown): string {
  const accepted = 'text, bytes, or a value that JSON can represent';
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    // A cycle or a bigint.
  }
  if (text === undefined) throw optionError('the result of change', value, accepted);
  return text;
}

/** Mock adapters may return objects or text, and get the new body in the same form. */
function formOf(form: BodyForm, kind: ContentKind): BodyForm {
  if (form === 'bytes' || kind === 'bytes') return 'bytes';
  return form === 'json' && kind === 'json' ? 'json' : 'text';
}

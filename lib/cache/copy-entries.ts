import { optionError } from '../errors.js';
import type { StoredRecord } from '../models/record.js';
import { EntryScan } from './entry-scan.js';
import { internalsOf } from './internals.js';
import { refuseUnknown } from './queries.js';

/** Options of `BaseCache.update`. */
export interface CopyOptions {
  /** Called after each response with the numbers of copied and of all responses. Default: none. */
  readonly onProgress?: (progress: { readonly copied: number; readonly total: number }) => void;
}

/** A cache whose entries are copied: of either build of this version. */
interface CopiedCache {
  responseCount(): Promise<number>;
}

/**
 * Copies all responses and redirects of a cache, in batches.
 *
 * @throws TypeError for a value that is no cache, and for unknown options
 */
export async function copyEntries(
  other: CopiedCache,
  options: CopyOptions,
  write: (record: StoredRecord) => Promise<void>,
): Promise<void> {
  const { repository } = internalsOf(other);
  refuseUnknown('update', options, ['onProgress']);
  const { onProgress } = options;
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw optionError('update.onProgress', onProgress, 'a function');
  }
  const total = await other.responseCount();
  const scan = new EntryScan(repository);
  let copied = 0;
  for await (const batch of scan.wholeBatches()) {
    await Promise.all(batch.map((record) => write(record)));
    for (const _ of batch) onProgress?.({ copied: ++copied, total });
  }
  for await (const record of scan.others({ kind: 'redirect' })) await write(record);
}

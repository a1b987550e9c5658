import { optionError } from '../errors.js';
import type { CachedResponse } from '../models/cached-response.js';
import type { ResponseRecord } from '../models/record.js';
import { shared } from '../platform/shared-state.js';

/** The records of the stored responses that callers got. */
const records = /* @__PURE__ */ shared('presentedRecords', () => new WeakMap<CachedResponse, ResponseRecord>());

export function noteRecord(response: CachedResponse, record: ResponseRecord): void {
  records.set(response, record);
}

/** @throws TypeError for a response that no cache made */
export function recordOfPresented(response: CachedResponse): ResponseRecord {
  const record = records.get(response);
  if (!record) throw optionError('response', response, 'a stored response that a cache returned');
  return record;
}

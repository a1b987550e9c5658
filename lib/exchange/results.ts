import type { ResponseRecord } from '../models/record.js';
import { currentAge } from '../policy/age.js';
import type { CacheStatusParts } from '../policy/cache-status.js';
import { type Fields, newFields } from '../policy/messages.js';
import { partialContent } from '../policy/range.js';
import { isNotModified } from '../policy/validation.js';
import { redactHops } from '../request/redaction.js';
import { type Call, tell } from './call.js';
import type { Fetched } from './fetch.js';
import { type Answer, type Outcome, storedExtras, unstoredExtras } from './outcome.js';

const NOT_MODIFIED = { status: 304, statusText: 'Not Modified' };
const PARTIAL_CONTENT = { status: 206, statusText: 'Partial Content' };

/** Why and how a request went to the origin, for Cache-Status. */
export type Forward = Pick<CacheStatusParts, 'fwd' | 'fwdStatus' | 'detail'>;

/** The stored response answers, and may. */
export function fresh(call: Call, record: ResponseRecord, reason: string): Outcome {
  const now = call.cache.now();
  const isFresh = record.staleAt > now;
  tell(call, isFresh ? 'hit' : 'stale', reason);
  const status: CacheStatusParts = isFresh ? { hit: true } : { hit: true, detail: reason };
  return {
    fromStore: true,
    answer: answerOf(call, record, now),
    extras: storedExtras(record, now, { cacheKey: call.key, fromCache: true, revalidated: false }, status),
  };
}

/** The stored response answers though it is not fresh, or not confirmed. */
export function old(call: Call, record: ResponseRecord, forward: Forward): Outcome {
  const now = call.cache.now();
  tell(call, 'stale', forward.detail);
  return {
    fromStore: true,
    answer: answerOf(call, record, now),
    extras: storedExtras(
      record,
      now,
      { cacheKey: call.key, fromCache: true, revalidated: false },
      { hit: true, ...forward },
    ),
  };
}

/** The origin answered: with a response of its own, or by confirming the stored one. */
export function fromOrigin(call: Call, { received, mine }: Fetched, forward: Forward): Outcome {
  const { answer, record, revalidated, reason, elsewhere } = received;
  if (record && elsewhere) return fresh(call, record, 'lease');
  const now = call.cache.now();
  const status: CacheStatusParts = {
    ...forward,
    fwdStatus: answer.status,
    ...(record ? { stored: true } : {}),
    ...(mine ? {} : { collapsed: true }),
    detail: call.store.failure ?? reason ?? forward.detail,
  };
  if (record && revalidated) {
    tell(call, 'revalidated');
    const how = { cacheKey: call.key, fromCache: true, revalidated: true };
    return { fromStore: true, answer: answerOf(call, record, now), extras: storedExtras(record, now, how, status) };
  }
  tell(call, mine ? 'miss' : 'hit', mine ? forward.detail : 'collapsed');
  const bare = mine ? answer : { ...answer, native: undefined };
  if (record) {
    return {
      answer: bare,
      extras: storedExtras(record, now, { cacheKey: call.key, fromCache: !mine, revalidated: false }, status),
    };
  }
  const history = redactHops(answer.hops, call.settings);
  return { answer: bare, extras: unstoredExtras({ cacheKey: call.key, fromCache: !mine, history }, status) };
}

/** RFC 9111 sections 4 and 5.1, RFC 9110 sections 13 and 14: what is served of a stored response. */
function answerOf(call: Call, record: ResponseRecord, now: number): Answer {
  const { settings, request } = call;
  if (!settings.cacheControl) return record;
  const age = String(currentAge(record, now));
  if (isNotModified(request, record)) {
    const body = record.body.subarray(0, 0);
    return { ...record, headers: withAge(record.headers, age), ...NOT_MODIFIED, bodyForm: 'bytes', body };
  }
  const range = partialContent(request, record);
  if (!range) return { ...record, headers: withAge(record.headers, age) };
  const body = record.body.subarray(range.from, range.to);
  return { ...record, headers: withAge(range.headers, age), ...PARTIAL_CONTENT, body };
}

function withAge(headers: Fields, age: string): Fields {
  const aged = newFields(headers);
  aged.age = age;
  return aged;
}

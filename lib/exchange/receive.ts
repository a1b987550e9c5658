import type { ResponseRecord } from '../models/record.js';
import { initialAge } from '../policy/age.js';
import { freshnessOf } from '../policy/lifetime.js';
import type { Fields } from '../policy/messages.js';
import { allowsMethod } from '../policy/rules.js';
import { mayServeOnError } from '../policy/stale.js';
import { storable } from '../policy/storable.js';
import { freshen, matchesHead } from '../policy/validation.js';
import { keyOf } from '../request/cache-key.js';
import { secretInHeader } from '../request/redaction.js';
import { type Call, tell, tellPast } from './call.js';
import { draftOf, keptFields } from './draft.js';
import { setLifetime } from './lifetime.js';
import type { OriginAnswer } from './origin.js';
import { storedForm } from './parts.js';
import { chainExpires, redirectRecords } from './redirects.js';

/** What became of the origin's answer. */
export interface Received {
  readonly answer: OriginAnswer;
  /** The fields that it was asked with. */
  readonly asked: Fields;
  /** The stored response: new, or the old one freshened; undefined where the answer is not stored. */
  readonly record: ResponseRecord | undefined;
  /** The origin confirmed the stored response. */
  readonly revalidated: boolean;
  /** Another process stored it meanwhile: nothing was asked of the origin. */
  readonly elsewhere?: true;
  /** Why it is not stored, for Cache-Status. */
  readonly reason: string | undefined;
}

/** A response ready to be stored, or why it is not to be. */
type Settled = { readonly record: ResponseRecord } | { readonly reason: string; readonly error?: unknown };

/**
 * Carries out what an answer of the origin means for the store: it is saved, or passed on. Shared by all who wait for
 * the answer, and done with the settings of the one who sent the request.
 */
export async function receive(call: Call, stored: ResponseRecord | undefined, answer: OriginAnswer): Promise<Received> {
  const received = await save(call, stored, answer);
  const { settings, request } = call;
  if (request.method === 'HEAD' && settings.cacheControl && !settings.readOnly) await freshenFromHead(call, answer);
  return received;
}

/** Stores the answer where the rules, the user and the store agree; tells why where they do not. */
async function save(call: Call, stored: ResponseRecord | undefined, answer: OriginAnswer): Promise<Received> {
  const form = storedForm(answer, stored);
  if (!form) return pass(call, answer, 'partial');
  const obstacle = obstacleTo(call, stored, form);
  const settled = obstacle === undefined ? await settle(call, form) : { reason: obstacle };
  if ('reason' in settled) return pass(call, answer, settled.reason, settled.error);

  const { record } = settled;
  const { cache, store } = call;
  if (!(await cache.stored.keep(record, store))) return pass(call, answer, store.failure ?? 'write-failed');
  for (const redirect of redirectRecords(call, answer, record)) await cache.stored.keepRedirect(redirect, store);
  tell(call, 'stored');
  return { answer, asked: call.request.headers, record, revalidated: false, reason: undefined };
}

function pass(call: Call, answer: OriginAnswer, reason: string, error?: unknown): Received {
  // A method that is not cached has no key to be told, and that of a long body takes long.
  if (reason === 'method') tellPast(call, reason);
  else tell(call, error === undefined ? 'skipped' : 'error', reason, error);
  return { answer, asked: call.request.headers, record: undefined, revalidated: false, reason };
}

/** What stands against storing before anything of the user's is asked. */
function obstacleTo(call: Call, stored: ResponseRecord | undefined, answer: OriginAnswer): string | undefined {
  const { settings, request, cache } = call;
  if (settings.readOnly) return 'read-only';
  if (!allowsMethod(settings, request.method)) return 'method';
  if (answer.bodyForm === 'opaque') return 'opaque-body';
  if (answer.laterCredentials) return 'redirect-credentials';
  if (!cache.encrypts && secretInHeader(answer.headers, settings)) return 'secret-in-header';
  if (answer.body.byteLength > settings.maxBodySize) return 'body-too-large';
  // The old response is about to be served instead, and must not be overwritten by the failure.
  if (stored && mayServeOnError(request, stored, { status: answer.status }, settings, cache.now()))
    return 'stale-if-error';
  return undefined;
}

async function settle(call: Call, answer: OriginAnswer): Promise<Settled> {
  const draft = draftOf(call, answer);
  if (draft === undefined) return { reason: 'vary-star' };
  try {
    const set = await setLifetime(call, draft);
    const verdict = storable(call.request, answer, call.settings, set);
    if (!verdict.store) return { reason: verdict.reason };
    const life = freshnessOf(answer, call.settings, set, answer);
    if (life === undefined) return { reason: 'do-not-cache' };
    const staleAt = chainExpires(call, answer, set, life.staleAt);
    if (staleAt === undefined) return { reason: 'redirect-not-storable' };
    const record = { ...draft, staleAt };
    return (await accepts(call, record)) ? { record } : { reason: 'filter' };
  } catch (error) {
    return { reason: 'user-function', error };
  }
}

/** Whether the user's `filterFn` wants the response. */
export function accepts(call: Call, record: ResponseRecord): boolean | Promise<boolean> {
  const { filterFn } = call.settings;
  return filterFn === undefined || filterFn(call.cache.present(record));
}

/** RFC 9111 section 4.3.4: the stored response freshened by a 304 that confirms it. */
export async function freshenStored(call: Call, stored: ResponseRecord, answer: OriginAnswer): Promise<Received> {
  const merged = { ...stored, headers: freshen(stored.headers, keptFields(call, answer.headers)) };
  const record = await renewed(call, merged, answer);
  if (record && !call.settings.readOnly) await call.cache.stored.keep(record, call.store);
  return { answer, asked: call.request.headers, record: record ?? merged, revalidated: true, reason: undefined };
}

/** RFC 9111 section 4.3.5: a HEAD's answer tells of the GET's stored response. */
async function freshenFromHead(call: Call, answer: OriginAnswer): Promise<void> {
  const { cache, request, settings, store } = call;
  const key = keyOf({ ...request, method: 'GET' }, settings);
  const { record: stored } = await cache.stored.recall(key, request.headers, store);
  if (!stored || answer.status !== stored.status) return;
  if (matchesHead(stored, answer)) {
    const merged = { ...stored, headers: freshen(stored.headers, keptFields(call, answer.headers)) };
    const record = await renewed(call, merged, answer);
    if (record) await cache.stored.keep(record, store);
  } else {
    // Stale as of now: it may still be revalidated.
    await cache.stored.keep({ ...stored, staleAt: Math.min(stored.staleAt, answer.responseTime) }, store);
  }
}

/** The stored response with a lifetime that begins with this answer; undefined where it may no longer be stored, or a user's function threw. */
async function renewed(call: Call, stored: ResponseRecord, answer: OriginAnswer): Promise<ResponseRecord | undefined> {
  try {
    const life = freshnessOf(stored, call.settings, await setLifetime(call, stored), answer);
    if (life === undefined) return undefined;
    const { requestTime, responseTime } = answer;
    return { ...stored, receivedAt: responseTime, ...life, initialAge: initialAge(answer, requestTime, responseTime) };
  } catch (error) {
    tell(call, 'error', 'user-function', error);
    return undefined;
  }
}

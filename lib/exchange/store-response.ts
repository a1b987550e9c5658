import type { BodyForm, ResponseRecord } from '../models/record.js';
import { randomHex16 } from '../platform/random.js';
import { initialAge } from '../policy/age.js';
import { cacheGroups } from '../policy/cache-groups.js';
import { freshnessOf } from '../policy/lifetime.js';
import type { Fields } from '../policy/messages.js';
import { storableForm } from '../policy/range.js';
import type { Reason } from '../policy/reasons.js';
import { allowsMethod } from '../policy/rules.js';
import { mayServeOnError } from '../policy/stale.js';
import { storable, storedFields } from '../policy/storable.js';
import { combineTags, parseTags } from '../policy/tags.js';
import { freshen, matchesHead } from '../policy/validation.js';
import { isSelectedBy, variantOf, varyNames } from '../policy/vary.js';
import { countsInVary, keyOf } from '../request/cache-key.js';
import { groupIndexNames, tagIndexName, urlIndexNames } from '../request/index-names.js';
import { redactHops, redactRequest, redactUrl, secretInHeader, storedHeaders } from '../request/redaction.js';
import { configuredLifetime, hasExpirationFunction } from '../settings/lifetime.js';
import type { OriginResponse } from './origin.js';
import { chainStaleAt, isSameTarget, redirectRecords } from './redirects.js';
import type { RequestContext } from './request-context.js';

/** The purpose of an origin request, and its place in the order of invalidations. */
export interface OriginRequest {
  /** The stored response that the origin may confirm, complete or replace. */
  readonly stored: ResponseRecord | undefined;
  /** The request's place in this process's sequence of invalidations. */
  since: number;
  /** The store's invalidation order when the request was sent. */
  order: number;
}

/** The stored response, or why a response is not stored. */
export type StoreOutcome =
  | { readonly record: ResponseRecord }
  | {
      readonly reason: Reason;
      readonly error?: unknown;
      /** The rules and the user accept the response, but the store failed, or the response was invalidated. */
      readonly wasStorable?: boolean;
    };

/** Stores a response of the origin if the rules, the user and the store agree, with the settings of its request. */
export async function storeResponse(
  context: RequestContext,
  sent: OriginRequest,
  response: OriginResponse,
): Promise<StoreOutcome> {
  const outcome = await save(context, sent, response);
  if ('reason' in outcome) reportNotStored(context, outcome);
  else context.emitStored();
  const { request, settings } = context;
  if (request.method === 'HEAD' && settings.cacheControl && !settings.readOnly) {
    await freshenFromHead(context, sent, response);
  }
  return outcome;
}

/** Reports that a response is not stored. */
export function reportNotStored(context: RequestContext, { reason, error }: { reason: Reason; error?: unknown }): void {
  // A request whose method is not cached has no key, and that of a long body takes time.
  if (reason === 'method') context.emitBypass(reason);
  else context.emit(error === undefined ? 'skipped' : 'error', { reason, ...(error === undefined ? {} : { error }) });
}

/** Why a response may not be stored, as far as its headers say; undefined if it may. */
function headerObstacle(
  context: RequestContext,
  { stored }: OriginRequest,
  response: OriginResponse,
): Reason | undefined {
  const { settings, request, cache } = context;
  if (settings.readOnly) return 'read-only';
  if (!allowsMethod(settings, request.method)) return 'method';
  if (response.bodyForm === 'opaque') return 'opaque-body';
  if (response.laterCredentials) return 'redirect-credentials';
  if (!cache.encrypts && secretInHeader(response.headers, settings)) return 'secret-in-header';
  if (varyNames(response.headers, countsInVary(settings)) === '*') return 'vary-star';
  if (settings.cacheControl && cacheGroups(response.headers) === 'too-many') return 'groups';
  // The stored response is about to be served instead, and must not be replaced by the failure.
  if (stored && mayServeOnError(request, stored, { status: response.status }, settings, cache.now()))
    return 'stale-if-error';
  return undefined;
}

/** Why a body that is still arriving will not be stored, so that no copy of it is collected. */
export function streamObstacle(
  context: RequestContext,
  sent: OriginRequest,
  response: OriginResponse,
): Reason | undefined {
  const obstacle = headerObstacle(context, sent, response);
  if (obstacle !== undefined) return obstacle;
  const { request, settings } = context;
  const length = Number(response.headers['content-length'] ?? 0);
  const isEncoded = response.headers['content-encoding'] !== undefined;
  if (!isEncoded && length > settings.maxBodySize) return 'body-too-large';
  // A lifetime that a function returns is known at the end: until then it counts as set.
  const set = hasExpirationFunction(context, response.url) ? { seconds: 1 } : staticLifetime(context);
  const verdict = storable(request, response, settings, set);
  return verdict.store ? undefined : verdict.reason;
}

function staticLifetime({ settings }: RequestContext) {
  const rules = [
    settings.requestExpireAfter,
    ...settings.urlsExpireAfter.map(([, rule]) => rule),
    settings.expireAfter,
  ];
  return rules.find((rule) => rule !== undefined && typeof rule !== 'function') as { seconds: number } | undefined;
}

async function save(context: RequestContext, sent: OriginRequest, response: OriginResponse): Promise<StoreOutcome> {
  const form = storableForm(response, sent.stored);
  if (!form) return { reason: 'partial' };
  const obstacle = headerObstacle(context, sent, form);
  if (obstacle !== undefined) return { reason: obstacle };
  if (form.body.byteLength > context.settings.maxBodySize) return { reason: 'body-too-large' };
  const settled = await settleRecord(context, sent, form);
  if ('reason' in settled) return settled;

  const { record } = settled;
  const { cache, access } = context;
  const isRedirected = response.hops.length > 0 || response.url !== context.request.url;
  const redirects = isRedirected ? redirectRecords(context, response, record) : [];
  const written = await cache.repository.save(record, redirects, access, sent.since);
  if (written === 'stored') return { record };
  return { reason: written === 'invalidated' ? written : (access.failure ?? 'write-failed'), wasStorable: true };
}

/** The record of a response with its lifetime, unless the rules or the user refuse it. */
async function settleRecord(
  context: RequestContext,
  sent: OriginRequest,
  response: OriginResponse,
): Promise<StoreOutcome> {
  const { request, settings } = context;
  const draft = draftRecord(context, sent, response);
  try {
    const configured = await configuredLifetime(context, {
      finalUrl: response.url,
      present: () => context.cache.present(draft),
    });
    const verdict = storable(request, response, settings, configured);
    if (!verdict.store) return { reason: verdict.reason };
    const lifetime = freshnessOf(response, settings, configured, response);
    if (lifetime === undefined) return { reason: 'do-not-cache' };
    const own = lifetime.staleAt;
    const staleAt = response.hops.length > 0 ? chainStaleAt(context, response, { configured, own }) : own;
    if (staleAt === undefined) return { reason: 'redirect-not-storable' };
    const record = withIndexes(context, { ...draft, staleAt, tags: await tagsOf(context, draft) });
    return (await acceptsResponse(context, record)) ? { record } : { reason: 'filter' };
  } catch (error) {
    return { reason: 'user-function', error };
  }
}

/** Whether the user's `filterFn` accepts a response. */
export function acceptsResponse(
  { settings, cache }: RequestContext,
  record: ResponseRecord,
): boolean | Promise<boolean> {
  const { filterFn } = settings;
  return filterFn === undefined || filterFn(cache.present(record));
}

/**
 * The tags of a response: those of the settings and those that functions of the user return for it.
 *
 * @throws the error of a user's function, and a TypeError for a value that it may not return
 */
async function tagsOf({ settings, cache }: RequestContext, record: ResponseRecord): Promise<readonly string[]> {
  const { names, functions } = settings.tags;
  if (functions.length === 0) return names;
  const lists = [names];
  for (const tags of functions) {
    const value = await tags(cache.present(record));
    if (value !== undefined) lists.push(parseTags(value, 'tags'));
  }
  return combineTags(lists, 'tags');
}

/** The record with the digests of its URLs, tags and cache groups. */
function withIndexes({ cache, settings }: RequestContext, record: ResponseRecord): ResponseRecord {
  const { repository } = cache;
  const names = [...record.tags.map(tagIndexName), ...(settings.cacheControl ? groupIndexNames(record) : [])];
  if (names.length === 0) return record;
  return { ...record, indexes: [...new Set([...record.indexes, ...repository.indexes(names)])] };
}

/** A record whose lifetime is not settled yet. */
function draftRecord(context: RequestContext, sent: OriginRequest, response: OriginResponse): ResponseRecord {
  const { request, settings, key, cache } = context;
  const vary = varyNames(response.headers, countsInVary(settings)) as readonly string[];
  return {
    kind: 'response',
    key,
    receivedAt: response.responseTime,
    staleAt: response.responseTime,
    indexes: cache.repository.indexes(urlIndexNames(request.method, [request.url, response.url], settings)),
    order: sent.order,
    stamp: randomHex16(),
    initialAge: initialAge(response, response.requestTime, response.responseTime),
    status: response.status,
    statusText: response.statusText,
    headers: keptFields(context, response.headers),
    url: redactUrl(response.url, settings),
    request: redactRequest(request, settings),
    history: redactHops(response.hops, settings),
    vary,
    variant: variantOf(vary, request.headers),
    tags: [],
    bodyForm: response.bodyForm as BodyForm,
    body: response.body,
  };
}

function keptFields({ settings }: RequestContext, headers: Fields): Fields {
  return storedHeaders(storedFields(headers, settings), settings);
}

/** A stored response that a 304 confirms, freshened; `reason` says why it is not stored again. */
export interface FreshenedResponse {
  readonly record: ResponseRecord;
  readonly revalidated: true;
  readonly reason?: Reason;
}

/** RFC 9111 section 4.3.4: freshens the stored response by a 304 that confirms it. */
export async function freshenStored(
  context: RequestContext,
  sent: OriginRequest & { readonly stored: ResponseRecord },
  response: OriginResponse,
): Promise<FreshenedResponse> {
  const { cache, access } = context;
  const { stored, order, since } = sent;
  const renewed = await renewRecord(context, { ...stored, order }, response);
  if ('reason' in renewed) {
    reportNotStored(context, renewed);
    const headers = freshen(stored.headers, keptFields(context, response.headers));
    return { record: { ...stored, headers }, revalidated: true, reason: renewed.reason };
  }
  const { record } = renewed;
  const written = await cache.repository.save(record, [], access, since);
  if (written === 'stored') return { record, revalidated: true };
  const reason = written === 'invalidated' ? written : (access.failure ?? 'write-failed');
  return { record, revalidated: true, reason };
}

/** RFC 9111 section 4.3.5: updates the stored response to a GET by the response to a HEAD. */
async function freshenFromHead(context: RequestContext, sent: OriginRequest, response: OriginResponse): Promise<void> {
  const { cache, request, settings, access } = context;
  const { repository } = cache;
  const key = keyOf({ ...request, method: 'GET' }, settings);
  const { record: stored } = await repository.lookup(key, request.headers, access);
  if (!stored || stored.isInvalidated || response.status !== stored.status || !isSameTarget(context, stored, response))
    return;
  const base = { ...stored, order: sent.order };
  // Another Vary does not describe the request that the stored response answered.
  const vary = varyNames(freshen(stored.headers, response.headers), countsInVary(settings));
  if (isSelectedBy(stored, vary) && matchesHead(stored, response)) {
    const renewed = await renewRecord(context, base, response);
    if ('record' in renewed) await repository.save(renewed.record, [], access, sent.since);
    else reportNotStored(context, renewed);
  } else {
    // Stale from now on; it may still be revalidated.
    const stale = { ...base, staleAt: Math.min(stored.staleAt, response.responseTime) };
    await repository.save(stale, [], access, sent.since);
  }
}

/**
 * The record, updated by a 304 or a response to HEAD, with a lifetime that begins then; or why it may not be stored so.
 */
async function renewRecord(
  context: RequestContext,
  stored: ResponseRecord,
  update: OriginResponse,
): Promise<StoreOutcome> {
  const { cache, settings, request } = context;
  if (settings.readOnly) return { reason: 'read-only' };
  if (update.laterCredentials) return { reason: 'redirect-credentials' };
  if (!cache.encrypts && secretInHeader(update.headers, settings)) return { reason: 'secret-in-header' };
  const headers = freshen(stored.headers, keptFields(context, update.headers));
  const vary = varyNames(headers, countsInVary(settings));
  if (vary === '*') return { reason: 'vary-star' };
  const record = { ...stored, headers, ...selectionBy(context, vary, stored) };
  try {
    const configured = await configuredLifetime(context, {
      finalUrl: update.url,
      present: () => context.cache.present(record),
    });
    const verdict = storable({ ...request, method: stored.request.method }, record, settings, configured);
    if (!verdict.store) return { reason: verdict.reason };
    const lifetime = freshnessOf(record, settings, configured, update);
    if (lifetime === undefined) return { reason: 'do-not-cache' };
    const { requestTime, responseTime } = update;
    const tags = combineTags([record.tags, await tagsOf(context, record)], 'tags');
    const renewed = { ...record, ...lifetime, tags, receivedAt: responseTime, isInvalidated: false };
    const age = initialAge(update, requestTime, responseTime);
    return { record: withIndexes(context, { ...withoutGroups(context, stored, renewed), initialAge: age }) };
  } catch (error) {
    return { reason: 'user-function', error };
  }
}

/** An update may change Vary: the response is then selected by the fields of the request that it answered. */
function selectionBy(
  { request, settings }: RequestContext,
  vary: readonly string[],
  stored: ResponseRecord,
): Pick<ResponseRecord, 'vary' | 'variant' | 'request'> | undefined {
  if (isSelectedBy(stored, vary)) return undefined;
  const { headers, isPartial } = redactRequest(request, settings);
  return {
    vary,
    variant: variantOf(vary, request.headers),
    request: { ...stored.request, headers, ...(isPartial ? { isPartial } : {}) },
  };
}

/** The groups of an update replace the stored ones. */
function withoutGroups({ cache }: RequestContext, stored: ResponseRecord, record: ResponseRecord): ResponseRecord {
  const old = groupIndexNames(stored);
  if (old.length === 0) return record;
  const digests = new Set(cache.repository.indexes(old));
  return { ...record, indexes: record.indexes.filter((digest) => !digests.has(digest)) };
}

import type { BodyForm, ResponseRecord } from '../models/record.js';
import { randomHex16 } from '../platform/random.js';
import { initialAge } from '../policy/age.js';
import { cacheGroups } from '../policy/cache-groups.js';
import type { Expiration } from '../policy/expiration.js';
import { freshnessOf } from '../policy/lifetime.js';
import type { Fields } from '../policy/messages.js';
import { storableForm } from '../policy/range.js';
import type { Reason } from '../policy/reasons.js';
import { allowsMethod } from '../policy/rules.js';
import { mayServeOnError } from '../policy/stale.js';
import { storageObstacle, storedFields } from '../policy/storable.js';
import { combineTags, parseTags } from '../policy/tags.js';
import { variantOf, varyNamesOfChain } from '../policy/vary.js';
import { sendsOtherCredentials } from '../request/added-credentials.js';
import { countsInVary } from '../request/cache-key.js';
import { groupIndexNames, tagIndexName, urlIndexNames } from '../request/index-names.js';
import { redactHops, redactRequest, redactUrl, secretInHeader, storedHeaders } from '../request/redaction.js';
import { selectingHops } from '../request/selecting-hops.js';
import { configuredLifetime, lifetimeBeforeBody } from '../settings/lifetime.js';
import type { OriginResponse } from './origin.js';
import { chainStaleAt, isSameTarget, redirectRecords } from './redirects.js';
import type { RequestContext } from './request-context.js';

/** The purpose of an origin request, and its place in the order of invalidations. */
export interface OriginRequest {
  /** The stored response that the origin may confirm, complete or replace. */
  readonly stored: ResponseRecord | undefined;
  /** The request's place in this process's sequence of invalidations. */
  since: number;
  /** The request's place in the order of the requests of this process; undefined if its method is not cached. */
  place: number | undefined;
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
  if (response.isTruncated) return 'aborted';
  if (response.bodyForm === 'opaque') return 'opaque-body';
  if (response.laterCredentials) return 'redirect-credentials';
  if (sendsOtherCredentials(request, response, settings)) return 'hidden-credentials';
  if (!cache.encrypts && secretInHeader(response.headers, settings)) return 'secret-in-header';
  if (chainVary(context, response) === '*') return 'vary-star';
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
  if (context.cache.breaker.closed) return 'store-error';
  const length = Number(response.headers['content-length'] ?? 0);
  const isEncoded = response.headers['content-encoding'] !== undefined;
  const { bytes, reason } = bodyLimit(context);
  if (!isEncoded && length > bytes) return reason;
  return lifetimeObstacle(context, response);
}

/** The bytes of the largest body that is stored, and why a larger one is not. */
export function bodyLimit({ settings, cache }: RequestContext): {
  readonly bytes: number;
  readonly reason: 'body-too-large' | 'too-large-for-store';
} {
  const { largestBody } = cache.repository;
  return settings.maxBodySize <= largestBody
    ? { bytes: settings.maxBodySize, reason: 'body-too-large' }
    : { bytes: largestBody, reason: 'too-large-for-store' };
}

/** A lifetime that a function returns is known at the end: until then it counts as set. */
function lifetimeObstacle(context: RequestContext, response: OriginResponse): Reason | undefined {
  const { request, settings } = context;
  const configured = lifetimeBeforeBody(context, response.url);
  const set = configured === 'function' ? { seconds: 1 } : configured;
  const obstacle = storageObstacle(request, response, settings, set);
  if (obstacle !== undefined) return obstacle;
  if (configured === 'function') return undefined;
  const settled = settledStaleAt(context, response, configured);
  return typeof settled === 'string' ? settled : undefined;
}

/** The instant (milliseconds since the epoch) from which a storable response is stale, or why it is not stored. */
function settledStaleAt(
  context: RequestContext,
  response: OriginResponse,
  configured: Expiration | undefined,
): number | 'do-not-cache' | 'redirect-not-storable' {
  const lifetime = freshnessOf(response, context.settings, configured, response);
  if (lifetime === undefined) return 'do-not-cache';
  const own = lifetime.staleAt;
  if (response.hops.length === 0) return own;
  return chainStaleAt(context, response, { configured, own }) ?? 'redirect-not-storable';
}

async function save(context: RequestContext, sent: OriginRequest, response: OriginResponse): Promise<StoreOutcome> {
  const { stored } = sent;
  const form = storableForm(response, stored && isSameTarget(context, stored, response) ? stored : undefined);
  if (!form) return { reason: 'partial' };
  const obstacle = headerObstacle(context, sent, form);
  if (obstacle !== undefined) return { reason: obstacle };
  if (form.body.byteLength > context.settings.maxBodySize) return { reason: 'body-too-large' };
  const settled = await settleRecord(context, sent, form);
  if ('reason' in settled) return settled;
  if (response.encoded && !(await response.encoded.isComplete(response.body))) return { reason: 'incomplete-body' };

  const { record } = settled;
  const { cache, access } = context;
  const isRedirected = response.hops.length > 0 || response.url !== context.request.url;
  const redirects = isRedirected ? redirectRecords(context, response, record) : [];
  const aliased = redirects.length === 0 ? record : { ...record, aliases: redirects.map(({ key }) => key) };
  const written = await cache.repository.save(aliased, redirects, access, sent);
  if (written === 'stored') return { record: aliased };
  return { reason: written === 'failed' ? (access.failure ?? 'write-failed') : written, wasStorable: true };
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
    const obstacle = storageObstacle(request, response, settings, configured);
    if (obstacle !== undefined) return { reason: obstacle };
    const staleAt = settledStaleAt(context, response, configured);
    if (typeof staleAt === 'string') return { reason: staleAt };
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
 * The tags of a response: those of all requests for it that were in flight at once, and those that functions of the user
 * return for it.
 *
 * @throws the error of a user's function, and a TypeError for a value that it may not return
 */
export async function tagsOf({ settings, cache }: RequestContext, record: ResponseRecord): Promise<readonly string[]> {
  const { names, functions } = settings.tags;
  const lists = [names];
  for (const tags of functions) {
    const value = await tags(cache.present(record));
    if (value !== undefined) lists.push(parseTags(value, 'tags'));
  }
  // At the end, since callers may have joined meanwhile.
  lists.push(cache.repository.requests.tagsOf(record.key));
  return combineTags(lists, 'tags');
}

/** The record with the digests of its URLs, tags and cache groups. */
export function withIndexes({ cache, settings }: RequestContext, record: ResponseRecord): ResponseRecord {
  const { repository } = cache;
  const names = [...record.tags.map(tagIndexName), ...(settings.cacheControl ? groupIndexNames(record) : [])];
  if (names.length === 0) return record;
  return { ...record, indexes: [...new Set([...record.indexes, ...repository.indexes(names)])] };
}

/** The fields by which the response, or a redirect before it, was selected. */
function chainVary({ request, settings }: RequestContext, { headers, url, hops }: OriginResponse) {
  return varyNamesOfChain(headers, selectingHops(request.url, url, hops), countsInVary(settings));
}

/** A record whose lifetime is not settled yet. */
function draftRecord(context: RequestContext, sent: OriginRequest, response: OriginResponse): ResponseRecord {
  const { request, settings, key, cache } = context;
  const vary = chainVary(context, response) as readonly string[];
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

export function keptFields({ settings }: RequestContext, headers: Fields): Fields {
  return storedHeaders(storedFields(headers, settings), settings);
}

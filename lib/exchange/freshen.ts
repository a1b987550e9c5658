import type { ResponseRecord } from '../models/record.js';
import { initialAge } from '../policy/age.js';
import { freshnessOf } from '../policy/lifetime.js';
import type { Reason } from '../policy/reasons.js';
import { storageObstacle } from '../policy/storable.js';
import { combineTags } from '../policy/tags.js';
import { freshen, matchesHead } from '../policy/validation.js';
import { isSelectedBy, variantOf, varyNamesOfChain } from '../policy/vary.js';
import { sendsOtherCredentials } from '../request/added-credentials.js';
import { countsInVary, keyOf } from '../request/cache-key.js';
import { groupIndexNames } from '../request/index-names.js';
import { redactRequest, secretInHeader } from '../request/redaction.js';
import { selectingHops } from '../request/selecting-hops.js';
import { configuredLifetime } from '../settings/lifetime.js';
import type { OriginResponse } from './origin.js';
import { isSameTarget } from './redirects.js';
import type { RequestContext } from './request-context.js';
import {
  keptFields,
  type OriginRequest,
  reportNotStored,
  type StoreOutcome,
  tagsOf,
  withIndexes,
} from './store-response.js';

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
  const { access } = context;
  const { stored, order } = sent;
  const renewed = await renewRecord(context, { ...stored, order }, response);
  if ('reason' in renewed) {
    reportNotStored(context, renewed);
    const headers = freshen(stored.headers, keptFields(context, response.headers));
    return { record: { ...stored, headers }, revalidated: true, reason: renewed.reason };
  }
  const { record } = renewed;
  const written = await saveRenewed(context, record, sent);
  if (written === 'stored') return { record, revalidated: true };
  const reason = written === 'failed' ? (access.failure ?? 'write-failed') : written;
  return { record, revalidated: true, reason };
}

/** RFC 9111 section 4.3.5: updates the stored response to a GET by the response to a HEAD. */
export async function freshenFromHead(
  context: RequestContext,
  sent: OriginRequest,
  response: OriginResponse,
): Promise<void> {
  const { cache, request, settings, access } = context;
  if (!settings.cacheControl || settings.readOnly) return;
  const { repository } = cache;
  const key = keyOf({ ...request, method: 'GET' }, settings);
  const { record: stored } = await repository.lookup(key, request.headers, access);
  if (!stored || stored.isInvalidated || response.status !== stored.status || !isSameTarget(context, stored, response))
    return;
  const base = { ...stored, order: sent.order };
  // Another Vary does not describe the request that the stored response answered.
  const hops = [...stored.history, ...selectingHops(request.url, response.url, response.hops)];
  const vary = varyNamesOfChain(freshen(stored.headers, response.headers), hops, countsInVary(settings));
  if (isSelectedBy(stored, vary) && matchesHead(stored, response)) {
    const renewed = await renewRecord(context, base, response);
    if ('record' in renewed) await saveRenewed(context, renewed.record, sent);
    else reportNotStored(context, renewed);
  } else {
    // Stale from now on; it may still be revalidated.
    const stale = { ...base, staleAt: Math.min(stored.staleAt, response.responseTime) };
    await repository.save(stale, [], access, sent);
  }
}

/** Stores a renewed response, and the redirects to it with its lifetime. */
async function saveRenewed({ cache, access }: RequestContext, record: ResponseRecord, sent: OriginRequest) {
  const redirects = record.aliases ? await cache.repository.renewedRedirects(record, access) : [];
  return cache.repository.save(record, redirects, access, sent);
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
  if (sendsOtherCredentials(request, update, settings)) return { reason: 'hidden-credentials' };
  if (!cache.encrypts && secretInHeader(update.headers, settings)) return { reason: 'secret-in-header' };
  const headers = freshen(stored.headers, keptFields(context, update.headers));
  const hops = [...stored.history, ...selectingHops(request.url, update.url, update.hops)];
  const vary = varyNamesOfChain(headers, hops, countsInVary(settings));
  if (vary === '*') return { reason: 'vary-star' };
  const record = { ...stored, headers, ...selectionBy(context, vary, stored) };
  try {
    const configured = await configuredLifetime(context, {
      finalUrl: update.url,
      present: () => context.cache.present(record),
    });
    const obstacle = storageObstacle({ ...request, method: stored.request.method }, record, settings, configured);
    if (obstacle !== undefined) return { reason: obstacle };
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

import type { Reason } from './reasons.js';
import { serializeTokenOrString } from './structured-fields.js';

/** The parameters of a member of Cache-Status (RFC 9211 section 2). */
export interface CacheStatusParts {
  readonly hit?: boolean | undefined;
  readonly fwd?: 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'miss' | 'request' | 'stale' | 'partial' | undefined;
  readonly fwdStatus?: number | undefined;
  /** Remaining freshness lifetime in seconds; negative for a stale response. */
  readonly ttl?: number | undefined;
  readonly stored?: boolean | undefined;
  readonly collapsed?: boolean | undefined;
  /** The reason. */
  readonly detail?: Reason | undefined;
}

/** The name of this cache in Cache-Status. */
const NAME = 'axios-keyv-cache';

/**
 * Returns a Cache-Status value (RFC 9211), such as `axios-keyv-cache; fwd=uri-miss; fwd-status=200; stored`. Of `hit` and
 * `fwd` only one may appear (section 2.1): a request that was forwarded is not a hit, even if the store answers it in
 * the end. `fwd-status`, `stored` and `collapsed` appear only with `fwd` (sections 2.3, 2.5 and 2.6).
 */
export function cacheStatus(parts: CacheStatusParts): string {
  let text = NAME;
  const forwarded = parts.fwd !== undefined;
  if (parts.hit && !forwarded) text += '; hit';
  if (forwarded) text += `; fwd=${parts.fwd}`;
  if (parts.fwdStatus !== undefined && forwarded) text += `; fwd-status=${parts.fwdStatus}`;
  if (parts.ttl !== undefined) text += `; ttl=${parts.ttl}`;
  if (parts.stored && forwarded) text += '; stored';
  if (parts.collapsed && forwarded) text += '; collapsed';
  if (parts.detail !== undefined) text += `; detail=${serializeTokenOrString(parts.detail)}`;
  return text;
}

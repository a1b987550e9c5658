/** What there is to say of a response (RFC 9211 section 2). */
export interface CacheStatusParts {
  readonly hit?: boolean | undefined;
  readonly fwd?: 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'miss' | 'request' | 'stale' | 'partial' | undefined;
  readonly fwdStatus?: number | undefined;
  /** Seconds of freshness left; negative for a stale response. */
  readonly ttl?: number | undefined;
  readonly stored?: boolean | undefined;
  readonly collapsed?: boolean | undefined;
  /** A token of ours: the condition that decided. */
  readonly detail?: string | undefined;
}

/** The name by which this cache calls itself. */
const NAME = 'axios-keyv-cache';

/**
 * RFC 9211: `axios-keyv-cache; fwd=uri-miss; fwd-status=200; stored`. Of `hit` and `fwd` one alone may appear (section
 * 2.1): what went to the origin is no hit, even where the store answers in the end.
 */
export function cacheStatus(parts: CacheStatusParts): string {
  let text = NAME;
  if (parts.hit && parts.fwd === undefined) text += '; hit';
  if (parts.fwd !== undefined) text += `; fwd=${parts.fwd}`;
  if (parts.fwdStatus !== undefined) text += `; fwd-status=${parts.fwdStatus}`;
  if (parts.ttl !== undefined) text += `; ttl=${parts.ttl}`;
  if (parts.stored) text += '; stored';
  if (parts.collapsed) text += '; collapsed';
  if (parts.detail !== undefined) text += `; detail=${parts.detail}`;
  return text;
}

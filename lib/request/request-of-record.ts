import type { CacheRequest } from '../models/cache-request.js';
import type { RequestRecord } from '../models/record.js';
import { canonicalBody } from './request-body.js';

/**
 * Returns the request that a stored one describes, so that its key can be computed again; undefined if a part of it is
 * redacted or was not stored: credentials, a certificate or socket, a body of bytes or a form.
 */
export function requestOfRecord(record: RequestRecord): CacheRequest | undefined {
  const { method, url, headers, body, isPartial } = record;
  if (isPartial) return undefined;
  return {
    method,
    url,
    headers,
    body: body === undefined ? { kind: 'none' } : { kind: 'text', text: body },
    transport: [],
  };
}

/** Returns whether a stored request lacks a part of the request that it describes. */
export function isPartial(request: CacheRequest, record: RequestRecord): boolean {
  const { auth, jarCookies, hiddenCredentials, hiddenTransport, principal, transport } = request;
  if (auth || jarCookies !== undefined || hiddenCredentials || hiddenTransport !== undefined || principal) return true;
  if (transport.length > 0 || record.url !== request.url) return true;
  for (const name in request.headers) if (String(record.headers[name]) !== String(request.headers[name])) return true;
  return isPartialBody(request, record.body);
}

function isPartialBody(request: CacheRequest, stored: string | undefined): boolean {
  const { kind } = request.body;
  if (kind !== 'text') return kind !== 'none';
  if (stored === undefined) return true;
  const bodyOf = (text: string) => JSON.stringify(canonicalBody({ ...request, body: { kind, text } }, () => 'keep'));
  return bodyOf(stored) !== bodyOf(request.body.kind === 'text' ? request.body.text : '');
}

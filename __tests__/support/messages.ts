import type { Expiration } from '../../lib/policy/expiration.js';
import { fields, type RequestMessage, type ResponseMessage, type StoredMessage } from '../../lib/policy/messages.js';
import type { Rules } from '../../lib/policy/rules.js';

/** The instant that tests of rules start from. */
export const NOW = Date.UTC(2026, 0, 1, 12);
export const MINUTE: Expiration = { seconds: 60 };

/** An HTTP-date so many seconds from {@link NOW}. */
export function httpDate(offset: number): string {
  return new Date(NOW + offset * 1000).toUTCString();
}

/** A request for `https://example.org/items/1`. */
export function request(headers: Record<string, unknown> = {}, method = 'GET'): RequestMessage {
  return { method, url: 'https://example.org/items/1', headers: fields(headers) };
}

export function response(headers: Record<string, unknown> = {}, status = 200): ResponseMessage {
  return { status, headers: fields(headers) };
}

/** A response of ten bytes that was stored at {@link NOW}, and is fresh for a minute. */
export function stored(headers: Record<string, unknown> = {}, more: Partial<StoredMessage> = {}): StoredMessage {
  const body = { byteLength: 10 };
  return { ...response(headers), receivedAt: NOW, staleAt: NOW + 60_000, initialAge: 0, body, ...more };
}

/** Every setting as it is by default, with `cacheControl` on. */
export function rules(changes: Partial<Rules> = {}): Rules {
  return {
    cacheControl: true,
    shared: false,
    allowableMethods: new Set(['GET', 'HEAD']),
    allowableCodes: undefined,
    alwaysRevalidate: false,
    onlyIfCached: false,
    readOnly: false,
    refresh: false,
    forceRefresh: false,
    staleIfError: undefined,
    staleWhileRevalidate: 0,
    ...changes,
  };
}

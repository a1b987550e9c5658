import type { Expiration } from '../../lib/policy/expiration.js';
import { fields, type RequestMessage, type ResponseMessage, type StoredMessage } from '../../lib/policy/messages.js';
import type { Rules } from '../../lib/policy/rules.js';

/** The instant at which the tests of the rules begin. */
export const NOW = Date.UTC(2026, 0, 1, 12);
export const MINUTE: Expiration = { seconds: 60 };

/** Returns an HTTP-date, `offset` seconds after {@link NOW}. */
export function httpDate(offset: number): string {
  return new Date(NOW + offset * 1000).toUTCString();
}

/** Returns a request for `https://example.org/items/1`. */
export function request(headers: Record<string, unknown> = {}, method = 'GET'): RequestMessage {
  return { method, url: 'https://example.org/items/1', headers: fields(headers) };
}

export function response(headers: Record<string, unknown> = {}, status = 200): ResponseMessage {
  return { status, headers: fields(headers) };
}

/** Returns a response of ten bytes, received over https at {@link NOW} and fresh for a minute. */
export function stored(headers: Record<string, unknown> = {}, more: Partial<StoredMessage> = {}): StoredMessage {
  const body = { byteLength: 10 };
  const url = 'https://example.org/items/1';
  return { ...response(headers), url, receivedAt: NOW, staleAt: NOW + 60_000, initialAge: 0, body, ...more };
}

const NO_FIELDS: readonly string[] = [];

/** Returns the default settings with `cacheControl`. */
export function rules(changes: Partial<Rules> = {}): Rules {
  return {
    cacheControl: true,
    shared: false,
    targetedFields: NO_FIELDS,
    allowableMethods: undefined,
    allowableCodes: undefined,
    alwaysRevalidate: false,
    onlyIfCached: false,
    readOnly: false,
    refresh: false,
    forceRefresh: false,
    maxAge: undefined,
    networkFirst: undefined,
    staleIfError: undefined,
    staleWhileRevalidate: 0,
    ...changes,
  };
}

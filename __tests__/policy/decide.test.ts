import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bypassReason, decide } from '../../lib/policy/decide.js';
import type { StoredMessage } from '../../lib/policy/messages.js';
import type { Rules } from '../../lib/policy/rules.js';
import { NOW, request, rules, stored } from '../support/messages.js';

type Headers = Record<string, unknown>;

/** Half a minute after the stored response went stale. */
const LATER = NOW + 90_000;
const FOR_EVER = Number.POSITIVE_INFINITY;

describe('what has no business with the cache', () => {
  test.each<[string, string, Headers, string | undefined, string | undefined]>([
    ['GET', 'GET', {}, undefined, undefined],
    ['HEAD', 'HEAD', {}, undefined, undefined],
    ['POST', 'POST', {}, 'method', 'method'],
    ['one range', 'GET', { range: 'bytes=0-1' }, undefined, 'range'],
    ['several ranges', 'GET', { range: 'bytes=0-1,3-4' }, 'range', 'range'],
    ['a range of something else', 'GET', { range: 'lines=0-1' }, 'range', 'range'],
    ['a range of a HEAD', 'HEAD', { range: 'bytes=0-1' }, 'range', 'range'],
    ['If-Range', 'GET', { 'if-range': '"a"' }, undefined, 'range'],
    ['no-store', 'GET', { 'cache-control': 'no-store' }, 'request-no-store', undefined],
    ['If-Match', 'GET', { 'if-match': '"a"' }, 'precondition', undefined],
    ['If-Unmodified-Since', 'GET', { 'if-unmodified-since': 'x' }, 'precondition', undefined],
    ['If-None-Match', 'GET', { 'if-none-match': '"a"' }, undefined, undefined],
  ])('%s', (_, method, headers, byProtocol, bySettings) => {
    expect(bypassReason(request(headers, method), rules())).toBe(byProtocol);
    expect(bypassReason(request(headers, method), rules({ cacheControl: false }))).toBe(bySettings);
  });

  test('methods are the user to choose', () => {
    expect(bypassReason(request({}, 'POST'), rules({ allowableMethods: new Set(['POST']) }))).toBeUndefined();
  });
});

function decision(
  message: StoredMessage | undefined,
  now: number,
  changes: Partial<Rules> = {},
  asked: Headers = {},
): string {
  const { action, reason } = decide(request(asked), message, rules(changes), now);
  return `${action}: ${reason}`;
}

const WITH_TAG = stored({ etag: '"a"' });

describe('in any mode', () => {
  test.each<[string, StoredMessage | undefined, number, Partial<Rules>, string]>([
    ['nothing is stored', undefined, NOW, {}, 'fetch: miss'],
    ['it is fresh', stored(), NOW, {}, 'serve: fresh'],
    ['it is fresh to the last moment', stored(), NOW + 59_999, {}, 'serve: fresh'],
    ['it never expires', stored({}, { staleAt: FOR_EVER }), LATER, {}, 'serve: fresh'],
    ['its time is up', WITH_TAG, NOW + 60_000, {}, 'revalidate: stale'],
    ['it is stale, and has no validator', stored(), LATER, {}, 'fetch: stale'],
    ['refresh', WITH_TAG, NOW, { refresh: true }, 'revalidate: refresh'],
    ['refresh, without a validator', stored(), NOW, { refresh: true }, 'fetch: refresh'],
    ['forceRefresh', WITH_TAG, NOW, { forceRefresh: true }, 'fetch: force-refresh'],
    ['alwaysRevalidate', WITH_TAG, NOW, { alwaysRevalidate: true }, 'revalidate: always-revalidate'],
    ['alwaysRevalidate, without a validator', stored(), NOW, { alwaysRevalidate: true }, 'fetch: always-revalidate'],
    [
      'staleWhileRevalidate',
      stored(),
      LATER,
      { staleWhileRevalidate: 30 },
      'serve-and-refresh: stale-while-revalidate',
    ],
    ['staleWhileRevalidate, too late', WITH_TAG, LATER, { staleWhileRevalidate: 29 }, 'revalidate: stale'],
    [
      'staleWhileRevalidate, refresh',
      WITH_TAG,
      LATER,
      { staleWhileRevalidate: 30, refresh: true },
      'revalidate: refresh',
    ],
    ['onlyIfCached, fresh', stored(), NOW, { onlyIfCached: true }, 'serve: fresh'],
    ['onlyIfCached, nothing', undefined, NOW, { onlyIfCached: true }, 'refuse: only-if-cached'],
    ['onlyIfCached, stale', WITH_TAG, LATER, { onlyIfCached: true }, 'refuse: only-if-cached'],
    [
      'onlyIfCached, staleIfError',
      stored(),
      LATER,
      { onlyIfCached: true, staleIfError: { limit: 30 } },
      'serve: stale-if-error',
    ],
    [
      'onlyIfCached, staleIfError, too late',
      stored(),
      LATER,
      { onlyIfCached: true, staleIfError: { limit: 29 } },
      'refuse: only-if-cached',
    ],
    [
      'onlyIfCached, staleWhileRevalidate',
      stored(),
      LATER,
      { onlyIfCached: true, staleWhileRevalidate: 30 },
      'refuse: only-if-cached',
    ],
    ['onlyIfCached, forceRefresh', stored(), NOW, { onlyIfCached: true, forceRefresh: true }, 'refuse: only-if-cached'],
  ])('%s', (_, message, now, changes, expected) => {
    expect(decision(message, now, changes)).toBe(expected);
    expect(decision(message, now, { ...changes, cacheControl: false })).toBe(expected);
  });
});

describe('RFC 9111 section 5.2.1: what the caller accepts', () => {
  const IMMUTABLE = stored({ etag: '"a"', 'cache-control': 'immutable' });
  const aged = stored({ etag: '"a"' }, { initialAge: 1_800, staleAt: NOW + 1_800_000 });

  test.each<[string, StoredMessage, number, string, string]>([
    ['5.2.1.1', WITH_TAG, NOW, 'max-age=0', 'revalidate: request-max-age'],
    ['5.2.1.1', WITH_TAG, NOW + 3_000, 'max-age=1', 'revalidate: request-max-age'],
    ['5.2.1.1', WITH_TAG, NOW + 2_999, 'max-age=3', 'serve: fresh'],
    ['5.2.1.1', WITH_TAG, NOW + 1_000, 'max-age=x', 'revalidate: request-max-age'],
    ['5.2.1.1', aged, NOW, 'max-age=600', 'revalidate: request-max-age'],
    ['5.2.1.1', aged, NOW, 'max-age=1801', 'serve: fresh'],
    ['5.2.1.1', WITH_TAG, LATER, 'max-age=600', 'revalidate: request-max-age'],
    ['RFC 8246, 2', IMMUTABLE, NOW, 'max-age=0', 'serve: fresh'],
    ['RFC 8246, 2', IMMUTABLE, NOW, 'no-cache', 'revalidate: request-no-cache'],
    ['RFC 8246, 2', IMMUTABLE, NOW + 3_000, 'max-age=1', 'revalidate: request-max-age'],
    ['RFC 8246, 2', IMMUTABLE, LATER, 'max-age=0', 'revalidate: request-max-age'],
    ['5.2.1.1', WITH_TAG, LATER, 'max-age=600, max-stale=30', 'serve: max-stale'],
    ['5.2.1.2', WITH_TAG, LATER, 'max-stale=30', 'serve: max-stale'],
    ['5.2.1.2', WITH_TAG, LATER, 'max-stale=29', 'revalidate: stale'],
    ['5.2.1.2', WITH_TAG, LATER, 'max-stale', 'serve: max-stale'],
    ['5.2.1.2', WITH_TAG, LATER, 'max-stale=x', 'revalidate: stale'],
    ['5.2.1.2', stored({ 'cache-control': 'must-revalidate' }), LATER, 'max-stale', 'fetch: stale'],
    ['5.2.1.3', WITH_TAG, NOW, 'min-fresh=60', 'serve: fresh'],
    ['5.2.1.3', WITH_TAG, NOW, 'min-fresh=61', 'revalidate: request-min-fresh'],
    ['5.2.1.3', WITH_TAG, NOW, 'min-fresh=x', 'revalidate: request-min-fresh'],
    ['5.2.1.4', WITH_TAG, NOW, 'no-cache', 'revalidate: request-no-cache'],
    ['5.2.1.4', stored(), NOW, 'No-Cache', 'fetch: request-no-cache'],
    ['5.2.1.7', stored(), NOW, 'only-if-cached', 'serve: fresh'],
    ['5.2.1.7', stored(), LATER, 'only-if-cached', 'refuse: only-if-cached'],
    ['5.2.1.7', stored(), LATER, 'only-if-cached, max-stale', 'serve: max-stale'],
    ['5.2.1.7', stored(), LATER, 'only-if-cached, stale-if-error=60', 'serve: stale-if-error'],
    ['5.2.1.7', stored(), NOW, 'only-if-cached, no-cache', 'refuse: only-if-cached'],
  ])('%s, %p at %p', (_, message, now, cacheControl, expected) => {
    expect(decision(message, now, {}, { 'cache-control': cacheControl })).toBe(expected);
  });

  test('5.4: Pragma', () => {
    expect(decision(WITH_TAG, NOW, {}, { pragma: 'no-cache' })).toBe('revalidate: request-no-cache');
  });

  test('a malformed only-if-cached still counts', () => {
    expect(decision(undefined, NOW, {}, { 'cache-control': 'only-if-cached=x' })).toBe('refuse: only-if-cached');
  });

  test('none of it without cacheControl', () => {
    const asked = { 'cache-control': 'no-cache, max-age=0, min-fresh=900, only-if-cached', pragma: 'no-cache' };
    expect(decision(WITH_TAG, NOW + 1_000, { cacheControl: false }, asked)).toBe('serve: fresh');
    expect(decision(undefined, NOW, { cacheControl: false }, asked)).toBe('fetch: miss');
  });
});

describe('RFC 9111 section 5.2.2: what the response demands', () => {
  test.each<[string, string, number, Partial<Rules>, string]>([
    ['5.2.2.2', 'must-revalidate', NOW, {}, 'serve: fresh'],
    ['5.2.2.2', 'must-revalidate', LATER, { staleWhileRevalidate: FOR_EVER }, 'revalidate: stale'],
    ['5.2.2.4', 'no-cache', NOW, {}, 'revalidate: no-cache'],
    ['5.2.2.4', 'no-cache="a"', NOW, {}, 'serve: fresh'],
    ['5.2.2.4', 'no-cache="a', NOW, {}, 'revalidate: no-cache'],
    [
      '5.2.2.8',
      'proxy-revalidate',
      LATER,
      { staleWhileRevalidate: FOR_EVER },
      'serve-and-refresh: stale-while-revalidate',
    ],
    ['5.2.2.8', 'proxy-revalidate', LATER, { staleWhileRevalidate: FOR_EVER, shared: true }, 'revalidate: stale'],
    ['RFC 5861, 3', 'stale-while-revalidate=30', LATER, {}, 'serve-and-refresh: stale-while-revalidate'],
    ['RFC 5861, 3', 'stale-while-revalidate=29', LATER, {}, 'revalidate: stale'],
    ['RFC 8246, 2', 'immutable', NOW, { alwaysRevalidate: true }, 'serve: fresh'],
    ['RFC 8246, 2', 'immutable', NOW, { refresh: true }, 'revalidate: refresh'],
    ['RFC 8246, 2', 'immutable', LATER, { alwaysRevalidate: true }, 'revalidate: always-revalidate'],
  ])('%s, %p at %p, %p', (_, cacheControl, now, changes, expected) => {
    expect(decision(stored({ etag: '"a"', 'cache-control': cacheControl }), now, changes)).toBe(expected);
  });

  test('none of it without cacheControl', () => {
    const strict = stored({ etag: '"a"', 'cache-control': 'no-cache, must-revalidate' });
    expect(decision(strict, NOW, { cacheControl: false })).toBe('serve: fresh');
  });
});

describe('RFC 9111 section 3.3: what is not held whole', () => {
  const part = stored({ 'content-range': 'bytes 0-9/20' }, { status: 206 });

  test.each<[StoredMessage, Headers, string]>([
    [part, {}, 'fetch: partial'],
    [part, { range: 'bytes=0-9' }, 'serve: fresh'],
    [part, { range: 'bytes=5-14' }, 'fetch: partial'],
    [part, { range: 'bytes=5-14', 'cache-control': 'only-if-cached' }, 'refuse: only-if-cached'],
    [stored(), { range: 'bytes=0-4' }, 'serve: fresh'],
    [stored(), { range: 'bytes=10-' }, 'fetch: partial'],
  ])('%j, asked with %j', (message, asked, expected) => {
    expect(decision(message, NOW, {}, asked)).toBe(expected);
  });
});

test('a decision to use what is stored is never made without it, whatever the headers are', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('max-stale', 'no-cache', 'only-if-cached'));
  fc.assert(
    fc.property(text, text, fc.boolean(), (asked, said, any) => {
      const headers = { 'cache-control': asked, pragma: said, range: asked, 'if-range': said };
      const message = any ? stored({ 'cache-control': said, etag: asked }) : undefined;
      const { action } = decide(request(headers), message, rules(), LATER);
      expect(any || action === 'fetch' || action === 'refuse').toBe(true);
      expect(() => bypassReason(request(headers), rules())).not.toThrow();
    }),
  );
});

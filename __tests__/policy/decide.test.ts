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

describe('which requests bypass the cache', () => {
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

  test('RFC 10008 section 2: a QUERY needs a Content-Type', () => {
    const json = { 'content-type': 'application/json' };
    expect(bypassReason(request(json, 'QUERY'), rules())).toBeUndefined();
    expect(bypassReason(request({}, 'QUERY'), rules())).toBe('content-type');
    expect(bypassReason(request(json, 'QUERY'), rules({ cacheControl: false }))).toBe('method');
    const allowableMethods = new Set(['QUERY']);
    expect(bypassReason(request(json, 'QUERY'), rules({ cacheControl: false, allowableMethods }))).toBeUndefined();
  });

  test('allowableMethods replaces the default', () => {
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

const SERVE_STALE: Partial<Rules> = { staleWhileRevalidate: FOR_EVER, staleIfError: { limit: FOR_EVER } as never };
const OFFLINE: Partial<Rules> = { onlyIfCached: true, ...SERVE_STALE };
const WITH_TAG = stored({ etag: '"a"' });

describe('in any mode', () => {
  test.each<[string, StoredMessage | undefined, number, Partial<Rules>, string]>([
    ['nothing is stored', undefined, NOW, {}, 'fetch: miss'],
    ['it is fresh', stored(), NOW, {}, 'serve: fresh'],
    ['it is fresh to the last moment', stored(), NOW + 59_999, {}, 'serve: fresh'],
    ['it never expires', stored({}, { staleAt: FOR_EVER }), LATER, {}, 'serve: fresh'],
    ['its time is up', WITH_TAG, NOW + 60_000, {}, 'revalidate: stale'],
    ['it is stale, and has no validator', stored(), LATER, {}, 'fetch: stale'],
    [
      'it is invalidated',
      stored({ etag: '"a"' }, { isInvalidated: true }),
      NOW,
      SERVE_STALE,
      'revalidate: invalidated',
    ],
    ['it is invalidated, offline', stored({}, { isInvalidated: true }), NOW, OFFLINE, 'refuse: only-if-cached'],
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
    ['onlyIfCached over forceRefresh', stored(), NOW, { onlyIfCached: true, forceRefresh: true }, 'serve: fresh'],
    ['onlyIfCached over refresh', WITH_TAG, NOW, { onlyIfCached: true, refresh: true }, 'serve: fresh'],
    [
      'onlyIfCached over alwaysRevalidate',
      WITH_TAG,
      NOW,
      { onlyIfCached: true, alwaysRevalidate: true },
      'serve: fresh',
    ],
    ['onlyIfCached over networkFirst', WITH_TAG, NOW, { onlyIfCached: true, networkFirst: 1 }, 'serve: fresh'],
    [
      'onlyIfCached and alwaysRevalidate, stale, staleIfError',
      stored(),
      LATER,
      { onlyIfCached: true, alwaysRevalidate: true, staleIfError: { limit: 30 } },
      'serve: stale-if-error',
    ],
    [
      'onlyIfCached and refresh, stale',
      stored(),
      LATER,
      { onlyIfCached: true, refresh: true },
      'refuse: only-if-cached',
    ],
    [
      'onlyIfCached, networkFirst, stale',
      stored(),
      LATER,
      { onlyIfCached: true, networkFirst: 1 },
      'serve: stale-if-error',
    ],
    ['maxAge', WITH_TAG, NOW + 29_999, { maxAge: { seconds: 30 } }, 'serve: fresh'],
    ['maxAge, exceeded', WITH_TAG, NOW + 30_000, { maxAge: { seconds: 30 } }, 'revalidate: max-age'],
    ['maxAge, exceeded, without a validator', stored(), NOW + 31_000, { maxAge: { seconds: 30 } }, 'fetch: max-age'],
    ['maxAge 0', WITH_TAG, NOW, { maxAge: { seconds: 0 } }, 'revalidate: max-age'],
    ['maxAge without limit', WITH_TAG, NOW + 50_000, { maxAge: { seconds: FOR_EVER } }, 'serve: fresh'],
    ['maxAge as an instant', WITH_TAG, NOW, { maxAge: { at: NOW } }, 'serve: fresh'],
    ['maxAge as a later instant', WITH_TAG, NOW, { maxAge: { at: NOW + 1 } }, 'revalidate: max-age'],
    [
      'maxAge over staleWhileRevalidate',
      WITH_TAG,
      LATER,
      { maxAge: { seconds: 30 }, staleWhileRevalidate: FOR_EVER },
      'revalidate: max-age',
    ],
    [
      'onlyIfCached, maxAge exceeded',
      WITH_TAG,
      NOW + 31_000,
      { onlyIfCached: true, maxAge: { seconds: 30 } },
      'refuse: only-if-cached',
    ],
    [
      'onlyIfCached, maxAge exceeded, staleIfError',
      WITH_TAG,
      NOW + 31_000,
      { onlyIfCached: true, maxAge: { seconds: 30 }, staleIfError: { limit: 0 } },
      'serve: stale-if-error',
    ],
    ['networkFirst', WITH_TAG, NOW, { networkFirst: FOR_EVER }, 'revalidate: network-first'],
    ['networkFirst, without a validator', stored(), NOW, { networkFirst: FOR_EVER }, 'fetch: network-first'],
    ['networkFirst, stale', WITH_TAG, LATER, { networkFirst: FOR_EVER }, 'revalidate: stale'],
    ['networkFirst, nothing', undefined, NOW, { networkFirst: 2 }, 'fetch: miss'],
    ['networkFirst with forceRefresh', WITH_TAG, NOW, { networkFirst: 2, forceRefresh: true }, 'fetch: force-refresh'],
    [
      'networkFirst over staleWhileRevalidate',
      WITH_TAG,
      LATER,
      { networkFirst: 2, staleWhileRevalidate: FOR_EVER },
      'revalidate: stale',
    ],
  ])('%s', (_, message, now, changes, expected) => {
    expect(decision(message, now, changes)).toBe(expected);
    expect(decision(message, now, { ...changes, cacheControl: false })).toBe(expected);
  });
});

describe('networkFirst: after how many seconds a stored response answers', () => {
  const part = stored({ 'content-range': 'bytes 0-9/20' }, { status: 206 });

  test.each<[string, StoredMessage | undefined, number, Partial<Rules>, number | undefined]>([
    ['a fresh response', stored(), NOW, {}, 2],
    ['a stale one', stored(), LATER, {}, 2],
    ['a stale one, within the limit of staleIfError', stored(), LATER, { staleIfError: { limit: 30 } }, 2],
    ['a stale one, beyond it', stored(), LATER, { staleIfError: { limit: 29 } }, undefined],
    ['one that prohibits it', stored({ 'cache-control': 'must-revalidate' }), LATER, {}, undefined],
    ['with refresh', stored(), NOW, { refresh: true }, undefined],
    ['with forceRefresh', stored(), NOW, { forceRefresh: true }, undefined],
    ['only after a failure', stored(), NOW, { networkFirst: FOR_EVER }, undefined],
    ['a part of what is asked', part, NOW, {}, undefined],
    ['nothing', undefined, NOW, {}, undefined],
  ])('%s', (_, message, now, changes, expected) => {
    expect(decide(request(), message, rules({ networkFirst: 2, ...changes }), now).serveAfter).toBe(expected);
  });

  test('never without networkFirst', () => {
    const changes = { networkFirst: undefined, refresh: true, staleIfError: { limit: FOR_EVER } };
    expect(decide(request(), stored(), rules(changes), NOW).serveAfter).toBeUndefined();
  });
});

describe('RFC 8246: immutable counts over https only', () => {
  const reason = (requestUrl: string, storedUrl = requestUrl) => {
    const message = stored({ 'cache-control': 'immutable' }, { url: storedUrl });
    return decide({ ...request(), url: requestUrl }, message, rules({ alwaysRevalidate: true }), NOW).reason;
  };

  test.each([
    ['https://example.org/a', 'fresh'],
    ['https://REDACTED@example.org/a', 'fresh'],
    ['http://localhost/a', 'fresh'],
    ['http://localhost:8080/a', 'fresh'],
    ['http://127.0.0.1:8080/a', 'fresh'],
    ['http://[::1]:8080/a', 'fresh'],
    ['http://example.org/a', 'always-revalidate'],
    ['http://localhost.example.org/a', 'always-revalidate'],
    ['http://localhost@example.org/a', 'always-revalidate'],
    ['http://127.0.0.2/a', 'always-revalidate'],
    ['not a URL', 'always-revalidate'],
  ])('%s: %s', (url, expected) => {
    expect(reason(url)).toBe(expected);
  });

  test('over every hop whose URL is known', () => {
    expect(reason('http://example.org/a', 'https://example.org/a')).toBe('always-revalidate');
    expect(reason('https://example.org/a', 'http://example.org/a')).toBe('always-revalidate');
  });

  test.each(['immutable=0', 'immutable="x"'])('%s counts as well', (directive) => {
    const message = stored({ 'cache-control': directive });
    expect(decide(request(), message, rules({ alwaysRevalidate: true }), NOW).reason).toBe('fresh');
  });

  test('not in requests', () => {
    expect(decision(WITH_TAG, NOW, { alwaysRevalidate: true }, { 'cache-control': 'immutable' })).toBe(
      'revalidate: always-revalidate',
    );
  });
});

describe('RFC 9111 section 5.2.1: request directives', () => {
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

  test('ignored without cacheControl', () => {
    const asked = { 'cache-control': 'no-cache, max-age=0, min-fresh=900, only-if-cached', pragma: 'no-cache' };
    expect(decision(WITH_TAG, NOW + 1_000, { cacheControl: false }, asked)).toBe('serve: fresh');
    expect(decision(undefined, NOW, { cacheControl: false }, asked)).toBe('fetch: miss');
  });
});

describe('RFC 9111 section 5.2.2: response directives', () => {
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

  test('ignored without cacheControl', () => {
    const strict = stored({ etag: '"a"', 'cache-control': 'no-cache, must-revalidate' });
    expect(decision(strict, NOW, { cacheControl: false })).toBe('serve: fresh');
  });
});

describe('RFC 9111 section 3.3: stored parts', () => {
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

test('no headers make it serve a response that is not stored', () => {
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

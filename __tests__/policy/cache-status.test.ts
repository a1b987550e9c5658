import { describe, expect, test } from '@jest/globals';
import { type CacheStatusParts, cacheStatus } from '../../lib/policy/cache-status.js';

describe('RFC 9211 section 2', () => {
  test.each<[CacheStatusParts, string]>([
    [{}, 'axios-keyv-cache'],
    [{ hit: true }, 'axios-keyv-cache; hit'],
    [{ hit: true, ttl: 376 }, 'axios-keyv-cache; hit; ttl=376'],
    [{ hit: true, ttl: -412, detail: 'max-stale' }, 'axios-keyv-cache; hit; ttl=-412; detail=max-stale'],
    [{ fwd: 'uri-miss' }, 'axios-keyv-cache; fwd=uri-miss'],
    [
      { fwd: 'uri-miss', fwdStatus: 200, ttl: 0, stored: true },
      'axios-keyv-cache; fwd=uri-miss; fwd-status=200; ttl=0; stored',
    ],
    [{ fwd: 'stale', fwdStatus: 304, collapsed: true }, 'axios-keyv-cache; fwd=stale; fwd-status=304; collapsed'],
    [{ fwd: 'bypass', stored: false, detail: 'range' }, 'axios-keyv-cache; fwd=bypass; detail=range'],
    [{ hit: true, fwdStatus: 200, stored: true, collapsed: true }, 'axios-keyv-cache; hit'],
    [
      { fwd: 'miss', detail: 'ENOSPC: no space left' as never },
      'axios-keyv-cache; fwd=miss; detail="ENOSPC: no space left"',
    ],
    [{ fwd: 'miss', detail: 'a "b"; hit' as never }, 'axios-keyv-cache; fwd=miss; detail="a \\"b\\"; hit"'],
    [
      { fwd: 'miss', detail: 'Größe\r\nSet-Cookie: a' as never },
      'axios-keyv-cache; fwd=miss; detail="Gr??e??Set-Cookie: a"',
    ],
  ])('%j', (parts, expected) => {
    expect(cacheStatus(parts)).toBe(expected);
  });

  test('of hit and fwd one alone appears', () => {
    expect(cacheStatus({ hit: true, fwd: 'stale', fwdStatus: 503 })).toBe(
      'axios-keyv-cache; fwd=stale; fwd-status=503',
    );
  });
});

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { EntryHead } from '../../lib/models/entry.js';
import { headText } from '../../lib/serializers/head-text.js';

const heads = fc.record({
  id: fc.string({ maxLength: 3 }),
  kind: fc.constantFrom('response', 'redirect'),
  group: fc.string({ maxLength: 3 }),
  receivedAt: fc.nat(3),
  staleAt: fc.constantFrom(1, 2, Number.POSITIVE_INFINITY),
  indexes: fc.array(fc.string({ maxLength: 2 }), { maxLength: 2 }),
  order: fc.nat(3),
});

test('different heads have different texts', () => {
  fc.assert(
    fc.property(heads, heads, fc.string({ maxLength: 2 }), fc.string({ maxLength: 2 }), (a, b, name, other) => {
      const same = JSON.stringify([name, a, String(a.staleAt)]) === JSON.stringify([other, b, String(b.staleAt)]);
      const text = (cacheName: string, head: object) => headText(cacheName, head as EntryHead);
      expect(text(name, a) === text(other, b)).toBe(same);
    }),
    { numRuns: 5_000 },
  );
});

test.each<[string, Partial<EntryHead>, Partial<EntryHead>]>([
  ['a digest in two', { indexes: ['a b'] }, { indexes: ['a', 'b'] }],
  ['a digest moved', { indexes: ['a b', 'c'] }, { indexes: ['a', 'b c'] }],
  ['a part of the id in the group', { id: 'a', group: '1 b' }, { id: 'a 1', group: 'b' }],
  ['a length in the text', { id: '1:a', group: 'b' }, { id: '1', group: ':a b' }],
  ['another kind', { kind: 'response' }, { kind: 'redirect' }],
  ['another time of receipt', { receivedAt: 1 }, { receivedAt: 2 }],
  ['another end of freshness', { staleAt: 2 }, { staleAt: Number.POSITIVE_INFINITY }],
  ['another order', { order: 0 }, { order: 1 }],
])('%s', (_, a, b) => {
  const head = { id: 'x', kind: 'response', group: 'y', receivedAt: 1, staleAt: 2, indexes: [], order: 0 };
  expect(headText('c', { ...head, ...a } as EntryHead)).not.toBe(headText('c', { ...head, ...b } as EntryHead));
});

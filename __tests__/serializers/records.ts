import type { RedirectRecord, ResponseRecord, VariantsRecord } from '../../lib/models/record.js';
import { fields } from '../../lib/policy/messages.js';

/** A response with everything in it that may give a serializer trouble. */
export function response(more: Partial<ResponseRecord> = {}): ResponseRecord {
  return {
    kind: 'response',
    key: 'a'.repeat(64),
    receivedAt: 1_700_000_000_000,
    staleAt: 1_700_000_060_000,
    indexes: ['1'.repeat(32)],
    order: 7,
    stamp: '0123456789abcdef',
    initialAge: 3,
    status: 200,
    statusText: 'OK',
    headers: fields(
      JSON.parse(
        '{"content-type":"text/plain","via":["a","b"],"__proto__":"data","x":"grüße \u{1F600}"}',
      ) as object as Record<string, unknown>,
    ),
    url: 'http://a.com/final?x=1',
    request: {
      method: 'GET',
      url: 'http://a.com/?x=1',
      headers: fields({ accept: '*/*' }),
      body: 'text',
      isPartial: true,
    },
    history: [{ url: 'http://a.com/?x=1', status: 302, headers: fields({ location: '/final' }) }],
    vary: [],
    variant: '',
    tags: ['prices', 'eu'],
    revision: 'fedcba9876543210',
    aliases: ['c'.repeat(64)],
    bodyForm: 'bytes',
    body: Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
    ...more,
  };
}

export const variants: VariantsRecord = {
  kind: 'variants',
  key: 'b'.repeat(64),
  receivedAt: 1,
  staleAt: Infinity,
  indexes: [],
  order: 7,
  vary: ['accept', 'x-mode'],
};
export const redirect: RedirectRecord = {
  kind: 'redirect',
  key: 'c'.repeat(64),
  target: 'a'.repeat(64),
  url: 'http://a.com/other',
  receivedAt: 1,
  staleAt: 2,
  indexes: ['2'.repeat(32)],
  order: 7,
  stamp: '0123456789abcdef',
};

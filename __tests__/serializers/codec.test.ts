import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Entry } from '../../lib/models/entry.js';
import type { StoredRecord } from '../../lib/models/record.js';
import type { EntryCodec } from '../../lib/serializers/codec.js';
import { linedJsonSerializer } from '../../lib/serializers/json.js';
import { openCodec } from '../../lib/serializers/open-codec.js';
import { openSerializer } from '../../lib/serializers/open-serializer.js';
import { brotliStage, gzipStage, SerializerPipeline, utf8Stage } from '../../lib/serializers/pipeline.js';
import type { Serializer } from '../../lib/serializers/serializer.js';
import { packEntry, parseEntry } from '../../lib/stores/stored-form.js';
import { redirect, response, variants } from './records.js';

const KEY = 'k'.repeat(32);
const OLD_KEY = 'o'.repeat(32);

interface Sealing {
  readonly secretKey?: readonly string[];
  readonly encryptionKey?: readonly string[];
  readonly cacheName?: string;
  readonly serializer?: Serializer | string;
}

function codec({ secretKey, encryptionKey, cacheName = 'cache', serializer }: Sealing = {}): EntryCodec {
  const bytes = (keys: readonly string[] | undefined) => keys?.map((key) => Buffer.from(key));
  return openCodec({
    cacheName,
    serializer: openSerializer(serializer),
    secretKeys: bytes(secretKey),
    encryptionKeys: bytes(encryptionKey),
  });
}

/** As a store would give it back. */
function stored(entry: Entry, id = entry.id): Entry {
  return parseEntry(id, packEntry(entry));
}

const json = {
  name: 'json',
  dumps: (value: never) => JSON.stringify(value),
  loads: (text: never) => JSON.parse(text) as unknown,
};
const SERIALIZERS: readonly (readonly [string, Serializer | string])[] = [
  ['json', 'json'],
  ['json in lines', linedJsonSerializer],
  ['v8', 'v8'],
  ['bson', 'bson'],
  ['yaml', 'yaml'],
  ['a pipeline with gzip', new SerializerPipeline([json, utf8Stage, gzipStage])],
  ['a pipeline with brotli', new SerializerPipeline([json, utf8Stage, brotliStage])],
  [
    'one of your own',
    {
      name: 'mine',
      dumps: async (value) => JSON.stringify(value),
      loads: async (data) => JSON.parse(Buffer.from(data).toString()) as unknown,
    },
  ],
];
const SEALINGS: readonly (readonly [string, Sealing])[] = [
  ['in the clear', {}],
  ['signed', { secretKey: [KEY] }],
  ['encrypted', { encryptionKey: [KEY] }],
  ['signed and encrypted', { secretKey: [KEY], encryptionKey: [KEY] }],
];
const RECORDS: readonly (readonly [string, StoredRecord])[] = [
  ['a response', response()],
  ['an empty body', response({ body: Buffer.alloc(0), bodyForm: 'none' })],
  ['a variant', response({ vary: ['accept'], variant: 'f'.repeat(32), key: 'free text' })],
  ['one that never expires', response({ staleAt: Infinity })],
  ['variants', variants],
  ['a redirect', redirect],
];

describe.each(SERIALIZERS)('%s', (_, serializer) => {
  describe.each(SEALINGS)('%s', (_sealing, sealing) => {
    test.each(RECORDS)('keeps %s whole', async (_record, record) => {
      const entry = await codec({ ...sealing, serializer }).encode(record);
      const again = codec({ ...sealing, serializer });
      const decoded = await again.decode(stored(entry), record.key);
      expect(decoded).toMatchObject({ record: { kind: record.kind } });
      expect(comparable('record' in decoded ? decoded.record : undefined)).toEqual(comparable(record));
      expect(await again.decodeSummary(stored(entry))).toMatchObject({ record: { key: record.key } });
    });
  });
});

function comparable(record: StoredRecord | undefined): unknown {
  return record?.kind === 'response'
    ? { ...record, headers: Object.entries(record.headers), body: Buffer.from(record.body).toString('hex') }
    : record;
}

describe('why an entry cannot be used', () => {
  const signed = { secretKey: [KEY] };
  const encrypted = { encryptionKey: [KEY] };
  const reason = async (reader: Sealing, entry: Entry, asked: string | undefined = response().key) => {
    const decoded = await codec(reader).decode(entry, asked);
    return 'invalid' in decoded ? decoded.invalid : 'none';
  };

  test('another serializer', async () => {
    expect(await reason({ serializer: 'v8' }, stored(await codec().encode(response())))).toBe('wrong-serializer');
  });

  test('metadata that is none', async () => {
    const entry = await codec().encode(response());
    expect(await reason({}, { ...entry, meta: Buffer.from('json\n{"key":1}') })).toBe('unreadable');
    expect(await reason({}, { ...entry, meta: Buffer.from('json\n{') })).toBe('unreadable');
    expect(await reason({}, parseEntry(entry.id, Buffer.from('no row')))).toBe('unreadable');
  });

  test("another key's entry", async () => {
    const entry = await codec().encode(response());
    expect(await reason({}, stored(entry), 'd'.repeat(64))).toBe('wrong-item');
    expect(await reason({}, stored(entry, 'd'.repeat(64)), undefined)).toBe('wrong-item');
  });

  test("no signature, or one of nobody's", async () => {
    const entry = await codec().encode(response());
    expect(await reason(signed, stored(entry))).toBe('unsigned');
    expect(await reason(signed, stored({ ...entry, protection: 'S' }))).toBe('unsigned');
    expect(await reason(signed, stored({ ...entry, protection: 'S', signature: 'x' }))).toBe('bad-signature');
  });

  test('an unknown key', async () => {
    expect(await reason({ secretKey: [OLD_KEY] }, stored(await codec(signed).encode(response())))).toBe('unknown-key');
    const entry = await codec(encrypted).encode(response());
    const other = codec({ encryptionKey: [OLD_KEY] });
    expect(await other.decode(stored(entry, other.names(response().key)[0]), response().key)).toEqual({
      invalid: 'unknown-key',
    });
  });

  test('a key that is not set', async () => {
    expect(await reason({}, stored(await codec(signed).encode(response())))).toBe('key-missing');
    expect(await reason({}, stored(await codec(encrypted).encode(response())))).toBe('key-missing');
    expect(await reason(encrypted, stored(await codec().encode(response())))).toBe('not-encrypted');
  });

  test.each<[string, (entry: Entry) => Entry, string]>([
    ['an edited body', (entry) => ({ ...entry, body: Buffer.from('evil') }), 'bad-digest'],
    ['a later expiry', (entry) => ({ ...entry, staleAt: entry.staleAt + 1 }), 'bad-signature'],
    ['another kind', (entry) => ({ ...entry, kind: 'redirect' }), 'bad-signature'],
    [
      'edited metadata',
      (entry) => ({
        ...entry,
        meta: Buffer.from(Buffer.from(entry.meta).toString().replace('"status":200', '"status":203')),
      }),
      'bad-signature',
    ],
    ['another name', (entry) => ({ ...entry, id: 'd'.repeat(64) }), 'bad-signature'],
    ['another group', (entry) => ({ ...entry, group: 'd'.repeat(64) }), 'bad-signature'],
    [
      'alg none',
      (entry) => ({
        ...entry,
        signature: entry.signature.replace(/:[^.]+/, `:${Buffer.from('{"alg":"none"}').toString('base64url')}`),
      }),
      'unknown-key',
    ],
  ])('signed: %s', async (_, change, expected) => {
    expect(await reason(signed, stored(change(await codec(signed).encode(response()))))).toBe(expected);
  });

  test('signed for another cache', async () => {
    const entry = await codec({ ...signed, cacheName: 'other' }).encode(response());
    expect(await reason(signed, stored(entry))).toBe('bad-signature');
    const sameName = await codec({ ...signed, cacheName: '/some/folder/cache.sqlite' }).encode(response());
    expect(await reason(signed, stored(sameName))).toBe('none');
  });

  test.each<[string, (entry: Entry) => Entry]>([
    ['body', (entry) => ({ ...entry, body: flipped(entry.body, 30) })],
    ['metadata', (entry) => ({ ...entry, meta: flipped(entry.meta, 30) })],
    ['expiry', (entry) => ({ ...entry, staleAt: entry.staleAt + 1 })],
    ['length', (entry) => ({ ...entry, body: Buffer.alloc(3) })],
  ])('encrypted: an edited %s', async (_, change) => {
    expect(await reason(encrypted, stored(change(await codec(encrypted).encode(response()))))).toBe('cannot-decrypt');
  });

  test('encrypted: the body of another revision', async () => {
    const [one, two] = await Promise.all([codec(encrypted).encode(response()), codec(encrypted).encode(response())]);
    expect(await reason(encrypted, stored({ ...one, body: two.body }))).toBe('cannot-decrypt');
  });
});

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

describe('rotation', () => {
  test('the first key signs, all verify', async () => {
    const entry = await codec({ secretKey: [OLD_KEY] }).encode(response());
    expect(await codec({ secretKey: [KEY, OLD_KEY] }).decode(stored(entry), response().key)).toHaveProperty('record');
  });

  test('older encryption keys keep their names', async () => {
    const old = codec({ encryptionKey: [OLD_KEY] });
    const entry = await old.encode(response());
    const rotated = codec({ encryptionKey: [KEY, OLD_KEY] });
    expect(rotated.names(response().key)).toEqual([expect.any(String), old.names(response().key)[0]]);
    expect(await rotated.decode(stored(entry), response().key)).toHaveProperty('record');
  });
});

test('nothing of URL, headers or body is readable when encrypted', async () => {
  const record = response({ body: Buffer.from('the body itself'), key: 'the key itself' });
  const row = packEntry(await codec({ encryptionKey: [KEY] }).encode(record)).toString('latin1');
  for (const text of ['the body', 'the key', 'a.com', 'content-type', 'text/plain', 'json'])
    expect(row).not.toContain(text);
});

describe('20,000 mutations of stored entries: never an exception, never a wrong answer with a key set', () => {
  test.each(SEALINGS.slice(1))('%s', async (_, sealing) => {
    const writer = codec(sealing);
    const records = [response(), response({ key: 'd'.repeat(64), body: Buffer.from('another') }), variants, redirect];
    const rows = await Promise.all(records.map(async (record) => packEntry(await writer.encode(record))));
    const reader = codec(sealing);
    const mutation = fc.record({
      victim: fc.nat(rows.length - 1),
      other: fc.nat(rows.length - 1),
      kind: fc.constantFrom('flip', 'cut', 'splice', 'swap'),
      at: fc.nat(10_000),
      bit: fc.nat(7),
    });
    await fc.assert(
      fc.asyncProperty(mutation, async ({ victim, other, kind, at, bit }) => {
        const [row, foreign, record] = [rows[victim] as Buffer, rows[other] as Buffer, records[victim] as StoredRecord];
        const mutated = mutate(row, foreign, kind, at % row.length, bit);
        fc.pre(!mutated.equals(row));
        const decoded = await reader.decode(parseEntry(reader.names(record.key)[0], mutated), record.key);
        // The last digit of a signature has spare bits: what is read is then what was written.
        if ('record' in decoded) expect(comparable(decoded.record)).toEqual(comparable(record));
      }),
      { numRuns: 7_000 },
    );
  });

  test('in the clear: never an exception', async () => {
    const row = packEntry(await codec().encode(response()));
    const reader = codec();
    await fc.assert(
      fc.asyncProperty(fc.nat(row.length - 1), fc.nat(255), async (at, byte) => {
        const mutated = Buffer.from(row);
        mutated[at] = byte;
        await reader.decode(parseEntry('a'.repeat(64), mutated), 'a'.repeat(64));
      }),
      { numRuns: 3_000 },
    );
  });
});

function mutate(row: Buffer, foreign: Buffer, kind: string, at: number, bit: number): Buffer {
  switch (kind) {
    case 'cut':
      return row.subarray(0, at);
    case 'splice':
      return Buffer.concat([row.subarray(0, at), foreign.subarray(Math.min(at, foreign.length))]);
    case 'swap':
      return foreign;
    default: {
      const copy = Buffer.from(row);
      copy[at] = (copy[at] ?? 0) ^ (1 << bit);
      return copy;
    }
  }
}

describe('wrong keys', () => {
  test.each([
    ['too short', 'short', 'secretKey: a key of 5 bytes is not accepted; expected text or bytes of 32 bytes or more'],
    ['none', [], 'secretKey: an empty list is not accepted'],
    ['no text', 1, 'secretKey: a number is not accepted'],
  ])('%s', async (_, secretKey, message) => {
    const { MemoryCache } = await import('../../lib/cache/backends/memory-cache.js');
    expect(() => new MemoryCache({ secretKey: secretKey as string })).toThrow(message);
    expect(() => new MemoryCache({ secretkey: 'my secret' } as object)).toThrow(
      /^secretkey: what was given is not accepted/,
    );
  });
});

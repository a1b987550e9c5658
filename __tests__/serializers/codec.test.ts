import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Entry } from '../../lib/models/entry.js';
import type { StoredRecord } from '../../lib/models/record.js';
import { type Fields, fields } from '../../lib/policy/messages.js';
import type { EntryCodec } from '../../lib/serializers/codec.js';
import { linedJsonSerializer } from '../../lib/serializers/formats.js';
import { openCodec } from '../../lib/serializers/open-codec.js';
import { openSerializer } from '../../lib/serializers/open-serializer.js';
import { SerializerPipeline } from '../../lib/serializers/pipeline.js';
import type { Serializer } from '../../lib/serializers/serializer.js';
import { brotliStage, gzipStage, utf8Stage } from '../../lib/serializers/stages.js';
import { packEntry, parseEntry } from '../../lib/stores/stored-form.js';
import { redirect, response, variants } from './records.js';

const KEY = 'k'.repeat(32);
const OLD_KEY = 'o'.repeat(32);

interface Protection {
  readonly secretKey?: readonly string[];
  readonly encryptionKey?: readonly string[];
  readonly cacheName?: string;
  readonly serializer?: Serializer | string;
}

function codec({ secretKey, encryptionKey, cacheName = 'cache', serializer }: Protection = {}): EntryCodec {
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
  dumps: (value: unknown) => JSON.stringify(value),
  loads: (text: string) => JSON.parse(text) as unknown,
};
const text16: Serializer = {
  name: 'text16',
  dumps: (value) => `\uD800${JSON.stringify(value)}`,
  loads: (text: string) => (text.startsWith('\uD800') ? (JSON.parse(text.slice(1)) as unknown) : undefined),
};
const SERIALIZERS: readonly (readonly [string, Serializer | string])[] = [
  ['json', 'json'],
  ['json in lines', linedJsonSerializer],
  ['v8', 'v8'],
  ['bson', 'bson'],
  ['yaml', 'yaml'],
  ['a pipeline with gzip', new SerializerPipeline([json, utf8Stage, gzipStage])],
  ['a pipeline with brotli', new SerializerPipeline([json, utf8Stage, brotliStage])],
  ['a pipeline with a format by name', new SerializerPipeline(['yaml', gzipStage])],
  ['a pipeline with a format of bytes', new SerializerPipeline(['bson', gzipStage, brotliStage])],
  [
    "the user's own, async, with text",
    {
      name: 'mine',
      dumps: async (value) => JSON.stringify(value),
      loads: async (text: string) => JSON.parse(text) as unknown,
    },
  ],
  [
    "the user's own, with bytes",
    {
      name: 'mine',
      dumps: (value) => new Uint8Array(Buffer.from(JSON.stringify(value))),
      loads: (data: Uint8Array) => JSON.parse(Buffer.from(data).toString()) as unknown,
    },
  ],
  ["the user's own, with text that UTF-8 cannot encode", text16],
];
const PROTECTIONS: readonly (readonly [string, Protection])[] = [
  ['not protected', {}],
  ['signed', { secretKey: [KEY] }],
  ['encrypted', { encryptionKey: [KEY] }],
  ['signed and encrypted', { secretKey: [KEY], encryptionKey: [KEY] }],
];
const RECORDS: readonly (readonly [string, StoredRecord])[] = [
  ['a response', response()],
  ['an empty body', response({ body: Buffer.alloc(0), bodyForm: 'none' })],
  ['a variant', response({ vary: ['accept'], variant: 'f'.repeat(32), key: 'free text' })],
  ['one that never expires', response({ staleAt: Infinity })],
  ['text with NUL and a line break', response({ statusText: 'a\0b\nc', request: { ...response().request, body: '' } })],
  ['a big body and many fields', response({ body: Buffer.alloc(300_000, 'ab'), headers: manyFields(2_000) })],
  ['variants', variants],
  ['a redirect', redirect],
];

function manyFields(count: number): Fields {
  return fields(Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, `value ${index}`])));
}

describe.each(SERIALIZERS)('%s', (_, serializer) => {
  describe.each(PROTECTIONS)('%s', (_protection, protection) => {
    test.each(RECORDS)('keeps %s whole', async (_record, record) => {
      const entry = await codec({ ...protection, serializer }).encode(record);
      const again = codec({ ...protection, serializer });
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
  const reason = async (reader: Protection, entry: Entry, asked: string | undefined = response().key) => {
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

  test.each<[string, (entry: Entry, other: Entry) => Partial<Entry>]>([
    ['head', ({ staleAt }) => ({ staleAt: staleAt + 1 })],
    ['metadata', ({ meta }) => ({ meta: flipped(meta, 30) })],
    ['metadata of another revision', (_, { meta }) => ({ meta })],
    ['body', ({ body }) => ({ body: flipped(body, 30) })],
    ['body of another revision', (_, { body }) => ({ body })],
  ])('encrypted: a changed %s after the entry was read', async (_, change) => {
    const reader = codec(encrypted);
    const [entry, other] = await Promise.all([reader.encode(response()), reader.encode(response())]);
    const read = async (one: Entry) => reader.decode(stored(one), response().key);
    expect(await read(entry)).toHaveProperty('record');
    expect(await read({ ...entry, ...change(entry, other) })).toMatchObject({ invalid: 'cannot-decrypt' });
    expect(await read(entry)).toHaveProperty('record');
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
  test.each(PROTECTIONS.slice(1))('%s', async (_, protection) => {
    const writer = codec(protection);
    const records = [response(), response({ key: 'd'.repeat(64), body: Buffer.from('another') }), variants, redirect];
    const rows = await Promise.all(records.map(async (record) => packEntry(await writer.encode(record))));
    const reader = codec(protection);
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

  test('without protection: never an exception', async () => {
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

describe.each(SERIALIZERS)('malformed entries never throw: %s', (_, serializer) => {
  test.each(PROTECTIONS)('%s', async (_protection, protection) => {
    const own = codec({ ...protection, serializer });
    const entry = stored(await own.encode(response()));
    const nameEnd = Buffer.from(entry.meta).indexOf('\n') + 1;
    const bytes = fc.uint8Array({ maxLength: 200 });
    const part = fc.record({
      meta: fc.oneof(
        bytes,
        bytes.map((rest) => Buffer.concat([entry.meta.subarray(0, nameEnd), rest])),
        fc.nat(entry.meta.length).map((end) => entry.meta.subarray(0, end)),
        fc.nat(entry.meta.length - 1).map((at) => flipped(entry.meta, at)),
        fc.constant(entry.meta),
      ),
      body: fc.oneof(
        bytes,
        fc.constant(entry.body),
        fc.nat(entry.body.length - 1).map((at) => flipped(entry.body, at)),
      ),
      signature: fc.oneof(
        fc.string(),
        fc.constant(entry.signature),
        bytes.map((data) => Buffer.from(data).toString('base64url')),
      ),
      kind: fc.constantFrom('response', 'variants', 'redirect', 'unknown'),
    });
    await fc.assert(
      fc.asyncProperty(part, async (parts) => {
        const damaged = { ...entry, ...parts } as Entry;
        for (const decoded of [await own.decode(damaged, entry.id), await own.decodeSummary(damaged)])
          expect('invalid' in decoded ? typeof decoded.invalid : typeof decoded.record).toMatch(/^(string|object)$/);
      }),
      { numRuns: 150 },
    );
  });
});

describe('metadata of a wrong structure is unreadable', () => {
  const whole = JSON.parse(
    Buffer.from((codec().encode(response()) as Entry).meta)
      .toString()
      .slice(10),
  ) as object;

  test.each<[string, object]>([
    ['no key', { key: undefined }],
    ['a key that is no text', { key: {} }],
    ['a negative status', { status: -1 }],
    ['a status that is no integer', { status: 200.5 }],
    ['a huge status', { status: 1e9 }],
    ['no stamp', { stamp: null }],
    ['tags that are no list', { tags: 'a' }],
    ['tags that are no text', { tags: [1] }],
    ['no age', { initialAge: null }],
    ['a negative age', { initialAge: -1 }],
    ['headers as an object', { headers: {} }],
    ['a field without a name', { headers: [[1, 'a']] }],
    ['a field without a value', { headers: [['a']] }],
    ['a request that is a list', { request: [] }],
    ['a request body that is no text', { request: { method: 'GET', url: 'u', headers: [], body: 1 } }],
    ['a hop without a URL', { history: [{ status: 302, headers: [] }] }],
    ['an unknown form of the body', { bodyForm: 'blob' }],
    ['no length of the body', { size: undefined }],
    ['a length of the body that is none', { size: -1 }],
    ['another length of the body', { size: 255 }],
  ])('%s', async (_, change) => {
    const entry = await codec().encode(response());
    const meta = Buffer.from(`json;text\n${JSON.stringify({ ...whole, ...change })}`);
    expect(await codec().decode({ ...entry, meta }, response().key)).toMatchObject({ invalid: 'unreadable' });
  });

  test('the same without a change is readable', async () => {
    const entry = await codec().encode(response());
    const meta = Buffer.from(`json;text\n${JSON.stringify(whole)}`);
    expect(await codec().decode({ ...entry, meta }, response().key)).toHaveProperty('record');
  });
});

describe('a serializer of the user that fails', () => {
  const failing = (more: Partial<Serializer>): Serializer => ({ ...json, name: 'mine', ...more });
  const readers: readonly (readonly [string, Partial<Serializer>])[] = [
    [
      'throws',
      {
        loads: () => {
          throw new Error('broken');
        },
      },
    ],
    [
      'rejects',
      {
        loads: async () => {
          throw new Error('broken');
        },
      },
    ],
    ['returns nothing', { loads: () => undefined }],
    ['returns something else', { loads: () => ({ key: 1 }) }],
  ];

  test.each(readers)(
    '%s when it reads: the entry is unreadable, and the error names the serializer',
    async (_, more) => {
      const own = codec({ serializer: failing(more) });
      const decoded = await own.decode(stored(await own.encode(response())), response().key);
      expect(decoded).toMatchObject({ invalid: 'unreadable', error: { code: 'ERR_CACHE_SERIALIZER' } });
      expect('invalid' in decoded ? decoded.error : undefined).toHaveProperty(
        'message',
        expect.stringMatching(/^serializer "mine" cannot read a stored response: /),
      );
    },
  );

  test.each<[string, Partial<Serializer>]>([
    [
      'throws',
      {
        dumps: () => {
          throw new Error('broken');
        },
      },
    ],
    [
      'rejects',
      {
        dumps: async () => {
          throw new Error('broken');
        },
      },
    ],
    ['returns nothing', { dumps: () => undefined as unknown as string }],
    ['returns null', { dumps: () => null as unknown as string }],
    ['returns an object', { dumps: (value) => value as string }],
    [
      'returns a body that is no bytes',
      { body: { dumps: () => 'text' as unknown as Uint8Array, loads: (data) => data } },
    ],
  ])('%s when it writes: encode fails with a code', async (_, more) => {
    const work = async () => codec({ serializer: failing(more) }).encode(response());
    await expect(work()).rejects.toMatchObject({
      code: 'ERR_CACHE_SERIALIZER',
      message: expect.stringMatching(/^serializer "mine" cannot write a response: /),
    });
  });

  test('damage is no fault of a serializer of this package', async () => {
    for (const serializer of ['json', new SerializerPipeline(['json', gzipStage])]) {
      const own = codec({ serializer });
      const entry = await own.encode(response());
      const decoded = await own.decode({ ...entry, meta: entry.meta.subarray(0, 30) }, response().key);
      expect(decoded).toMatchObject({ invalid: 'unreadable' });
      expect(decoded).not.toHaveProperty('error.code', 'ERR_CACHE_SERIALIZER');
    }
  });
});

test('a packed body unpacks to its stored length at most', async () => {
  const own = codec({ serializer: new SerializerPipeline(['json', gzipStage]) });
  const entry = await own.encode(response({ body: Buffer.from('short') }));
  const bomb = (await gzipStage.dumps(Buffer.alloc(50_000_000))) as Uint8Array;
  expect(await own.decode({ ...entry, body: bomb }, response().key)).toMatchObject({
    invalid: 'unreadable',
    error: { code: 'ERR_BUFFER_TOO_LARGE' },
  });
});

describe('a codec for a store in memory', () => {
  const kept = (serializer: Serializer | string = 'json') =>
    openCodec({ cacheName: 'cache', serializer: openSerializer(serializer), keepsObjects: true });

  test('serializes metadata only when it is read', async () => {
    let writes = 0;
    const hop = {
      url: 'http://a.example/',
      headers: {},
      get status() {
        writes += 1;
        return 301;
      },
    };
    const counting = { ...response(), history: [hop] };
    const entry = kept().encode(counting) as Entry;
    const before = writes;
    const decoded = await kept().decode(entry, response().key);
    expect('record' in decoded && decoded.record.kind === 'response' && decoded.record.history).toBe(counting.history);
    expect(writes).toBe(before);
    expect(await codec().decode(stored(entry), response().key)).toHaveProperty('record');
    expect(writes).toBeGreaterThan(before);
  });

  test('keeps nothing of the buffer that a body is a view of', async () => {
    const body = Buffer.alloc(16_384, 'x').subarray(100, 2_100);
    const entry = kept().encode({ ...response(), body }) as Entry;
    expect([entry.body.byteLength, entry.body.buffer.byteLength]).toEqual([2_000, 2_000]);
    expect(Buffer.compare(entry.body, body)).toBe(0);
    const whole = Buffer.allocUnsafeSlow(1_000);
    expect((kept().encode({ ...response(), body: whole }) as Entry).body).toBe(whole);
  });

  test.each(RECORDS)('returns the head of %s as another codec does', (_, record) => {
    const [own, other] = [kept().encode(record) as Entry, codec().encode(record) as Entry];
    for (const name of [
      'id',
      'kind',
      'group',
      'receivedAt',
      'staleAt',
      'indexes',
      'order',
      'protection',
      'signature',
      'meta',
      'body',
    ] as const)
      expect([name, own[name]]).toEqual([name, other[name]]);
  });

  test('checks what was looked up, and lists without bodies', async () => {
    const own = kept();
    const entry = (await own.encode(response())) as Entry;
    expect(await own.decode(entry, 'd'.repeat(64))).toEqual({ invalid: 'wrong-item' });
    expect(await own.decodeSummary(entry)).toMatchObject({ record: { status: 200, body: new Uint8Array(0) } });
  });

  const serialized: readonly (readonly [string, Protection])[] = [
    ['with bson', { serializer: 'bson' }],
    ...PROTECTIONS.slice(1),
  ];

  test.each(serialized)('keeps no more than its own bytes: %s', async (_, protection) => {
    const { serializer = 'json', secretKey, encryptionKey } = protection;
    const bytes = (keys: readonly string[] | undefined) => keys?.map((key) => Buffer.from(key));
    const keys = { secretKeys: bytes(secretKey), encryptionKeys: bytes(encryptionKey) };
    const own = openCodec({ cacheName: 'c', serializer: openSerializer(serializer), keepsObjects: true, ...keys });
    const { meta, body } = await own.encode(response({ body: Buffer.from('pooled') }));
    expect([meta.buffer.byteLength, body.buffer.byteLength]).toEqual([meta.byteLength, body.byteLength]);
  });

  test.each(['bson', 'yaml'])('serializes at once with %s, which is async', async (serializer) => {
    const entry = await kept(serializer).encode(response());
    expect(Buffer.from(entry.meta).toString('latin1')).toMatch(new RegExp(`^${serializer}`));
    expect(await kept(serializer).decode(entry, response().key)).toHaveProperty('record');
  });
});

describe('wrong keys', () => {
  test.each([
    ['too short', 'short', 'secretKey: a key of 5 bytes is not accepted; expected text or bytes of 32 bytes or more'],
    ['none', [], 'secretKey: an empty list is not accepted'],
    ['no text', 1, 'secretKey: a number is not accepted'],
  ])('%s', async (_, secretKey, message) => {
    const { MemoryCache } = await import('../../lib/cache/backends/memory-cache.js');
    expect(() => new MemoryCache({ secretKey: secretKey as string })).toThrow(message);
    expect(() => new MemoryCache({ secretkey: 'my secret' } as object)).toThrow(
      /^secretkey: the given value is not accepted/,
    );
  });
});

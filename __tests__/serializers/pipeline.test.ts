import { randomBytes } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { SerializerPipeline } from '../../lib/serializers/pipeline.js';
import type { Serializer } from '../../lib/serializers/serializer.js';
import { brotliStage, gzipStage, type Stage, utf8Stage } from '../../lib/serializers/stages.js';
import { startBench, temporaryFolder } from '../support/api.js';

const MIB = 1024 * 1024;
const json: Serializer = {
  name: 'json',
  dumps: (value) => JSON.stringify(value),
  loads: (text: string) => JSON.parse(text) as unknown,
};
/** A format that returns bytes, and a stage of text, with checks of their arguments. */
const packed: Serializer = {
  name: 'packed',
  dumps: (value) => Buffer.from(JSON.stringify(value)),
  loads: (data: Uint8Array) =>
    JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString()) as unknown,
};
const reversed: Stage = {
  name: 'reversed',
  dumps: (text: string) => [...text].reverse().join(''),
  loads: (text: string) => [...text].reverse().join(''),
};
const slow: Stage = {
  name: 'slow',
  bytes: true,
  dumps: async (data: Uint8Array) => Buffer.from(data).map((byte) => byte ^ 1),
  loads: async (data: Uint8Array) => Buffer.from(data).map((byte) => byte ^ 1),
};

/** A format of text that accepts nothing else. */
const textual: Serializer = {
  name: 'textual',
  dumps: (value) => JSON.stringify(value),
  loads: (text: string) => {
    if (typeof text !== 'string') throw new TypeError('not a text');
    return JSON.parse(text) as unknown;
  },
};
/** Stages that do not return the type that they got, as libraries do: bytes for text, an ArrayBuffer for bytes. */
const zipped: Stage = { name: 'zipped', dumps: (data: string) => gzipSync(data), loads: (data) => gunzipSync(data) };
const inArrayBuffer: Stage = {
  name: 'buffer',
  bytes: true,
  dumps: (data: Uint8Array) => new Uint8Array(data).buffer,
  loads: (data: Uint8Array) => new Uint8Array(data).buffer,
};
const inDataView: Serializer = {
  name: 'view',
  dumps: (value) => new DataView(new TextEncoder().encode(JSON.stringify(value)).buffer) as unknown as Uint8Array,
  loads: (data: Uint8Array) => JSON.parse(new TextDecoder().decode(data)) as unknown,
};

type Parts = ConstructorParameters<typeof SerializerPipeline>[0];

const STAGES: readonly (readonly Stage[])[] = [
  [],
  [gzipStage],
  [brotliStage],
  [gzipStage, brotliStage],
  [brotliStage, gzipStage],
];
/** Every format of this package with every list of its stages. */
const COMBINATIONS = (['json', 'yaml', 'v8', 'bson'] as const).flatMap((format) =>
  STAGES.flatMap((stages): Parts[] => {
    const isText = format === 'json' || format === 'yaml';
    return isText
      ? [
          [format, ...stages],
          [format, utf8Stage, ...stages],
        ]
      : [[format, ...stages]];
  }),
);

const PIPELINES: readonly (readonly [string, Parts])[] = [
  ...COMBINATIONS.map((parts) => [new SerializerPipeline(parts).name, parts] as const),
  ['a format of the user', [json]],
  ["the user's text before gzip", [json, gzipStage]],
  ["the user's bytes before gzip", [packed, gzipStage]],
  ['a stage of text', ['json', reversed, gzipStage]],
  ['a stage of text alone', ['json', reversed]],
  ['an async stage', ['json', slow, gzipStage]],
  ['text that a stage returns as bytes', [textual, zipped]],
  ['YAML that a stage returns as bytes', ['yaml', zipped]],
  ['such a stage twice', [textual, zipped, zipped]],
  ['such a stage before gzip', [textual, zipped, gzipStage]],
  ['such a stage after text', [textual, reversed, zipped]],
  ['a stage that returns an ArrayBuffer', [textual, inArrayBuffer, gzipStage]],
  ['a last stage that returns an ArrayBuffer', ['json', gzipStage, inArrayBuffer]],
  ['a format that returns a DataView', [inDataView, gzipStage]],
  ['a pipeline in a pipeline', [new SerializerPipeline(['json', gzipStage]), slow]],
];

const VALUES: readonly (readonly [string, unknown])[] = [
  ['an object', { a: [1, 'two', null, { b: true }] }],
  ['empty text', { text: '' }],
  ['a NUL', { text: 'a\0b' }],
  ['text beyond ASCII', { text: 'grüße \u{1F600} \uFEFF' }],
  ['a name of a prototype', JSON.parse('{"__proto__":"data"}')],
  ['a big value', { text: 'x'.repeat(MIB) }],
];

describe.each(PIPELINES)('%s', (_, parts) => {
  test.each(VALUES)('keeps %s', async (_value, value) => {
    const pipeline = new SerializerPipeline(parts);
    const data = await pipeline.dumps(value);
    // As a store returns it: a view of a larger buffer.
    const stored = typeof data === 'string' ? data : Buffer.concat([Buffer.of(7), data]).subarray(1);
    expect(await new SerializerPipeline(parts).loads(stored)).toEqual(value);
  });

  test('keeps bodies', async () => {
    const { body } = new SerializerPipeline(parts);
    for (const raw of [Buffer.alloc(0), Buffer.from('text'), randomBytes(100_000), Buffer.alloc(MIB)]) {
      const data = (await body?.dumps(raw)) ?? raw;
      expect(Buffer.from((await body?.loads(data, raw.length)) ?? data).equals(raw)).toBe(true);
    }
  });
});

test('the result is text only if the last stage returns text', async () => {
  expect(typeof (await new SerializerPipeline(['json', reversed]).dumps({}))).toBe('string');
  expect(Buffer.isBuffer(await new SerializerPipeline(['json', utf8Stage]).dumps({}))).toBe(true);
});

test.each(['ArrayBuffer', 'SharedArrayBuffer', 'DataView', 'Uint16Array'])('dumps may return a %s', async (type) => {
  const bytesIn: Record<string, (bytes: ArrayBuffer) => unknown> = {
    ArrayBuffer: (bytes) => bytes,
    SharedArrayBuffer: (bytes) => {
      const shared = new SharedArrayBuffer(bytes.byteLength);
      new Uint8Array(shared).set(new Uint8Array(bytes));
      return shared;
    },
    DataView: (bytes) => new DataView(bytes),
    Uint16Array: (bytes) => new Uint16Array(bytes),
  };
  const serializer: Serializer = {
    name: 'other',
    dumps(value) {
      const json = JSON.stringify(value);
      return bytesIn[type]?.(
        new TextEncoder().encode(json.padEnd(json.length + (json.length % 2))).buffer,
      ) as Uint8Array;
    },
    loads: (data: Uint8Array) => JSON.parse(new TextDecoder().decode(data)),
  };
  await using bench = await startBench({ serializer });
  await bench.api.get('/');
  expect((await bench.api.get('/')).fromCache).toBe(true);
});

test('text from dumps reaches loads as text, also through every store', async () => {
  const seen: string[] = [];
  const seeing: Serializer = {
    name: 'textual',
    dumps: (value) => JSON.stringify(value),
    loads: (text: string) => {
      seen.push(typeof text);
      return JSON.parse(text);
    },
  };
  for (const parts of [[seeing], [seeing, gzipStage], [seeing, utf8Stage, brotliStage]]) {
    for (const backend of ['memory', 'sqlite', 'filesystem'] as const) {
      await using folder = await temporaryFolder();
      const serializer = new SerializerPipeline(parts);
      await using bench = await startBench({ backend, cacheName: `${folder.path}/cache`, serializer });
      await bench.api.get('/');
      expect((await bench.api.get('/')).fromCache).toBe(true);
    }
  }
  expect(new Set(seen)).toEqual(new Set(['string']));
  expect(seen.length).toBeGreaterThanOrEqual(9);
});

test('text with a lone surrogate comes back as it was', async () => {
  const odd: Serializer = { name: 'odd', dumps: () => '\uD800 odd', loads: (text: string) => [...text].length };
  for (const parts of [[odd, gzipStage], [odd, utf8Stage, gzipStage], [odd]])
    expect(await new SerializerPipeline(parts).loads(await new SerializerPipeline(parts).dumps(1))).toBe(5);
});

describe('names', () => {
  test('are joined', () => {
    expect(new SerializerPipeline(['json', utf8Stage, gzipStage]).name).toBe('json+utf8+gzip');
    expect(new SerializerPipeline([new SerializerPipeline(['v8', gzipStage]), brotliStage]).name).toBe(
      'v8+gzip+brotli',
    );
  });

  test.each([
    ['of other characters', { ...gzipStage, name: 'g zip' }],
    ['that are too long', { ...gzipStage, name: 'g'.repeat(64) }],
  ])('%s are refused', (_, stage) => {
    expect(() => new SerializerPipeline(['json', stage])).toThrow(/^stages: .* is not accepted; expected names of/);
  });
});

describe('impossible pipelines are refused by the constructor', () => {
  test.each<[string, unknown, string]>([
    ['compression before the format', [gzipStage, json], '"gzip" is not accepted first'],
    ['compression before a format by name', [brotliStage, 'json'], '"brotli" is not accepted first'],
    ['compression alone', [gzipStage], '"gzip" is not accepted first'],
    ['the encoder before the format', [utf8Stage, 'json'], '"utf8" is not accepted first'],
    ['the encoder after compression', ['json', gzipStage, utf8Stage], '"utf8" is not accepted after "gzip"'],
    ['the encoder twice', ['json', utf8Stage, utf8Stage], '"utf8" is not accepted after "utf8"'],
    ['the encoder after a format of bytes', ['v8', utf8Stage], '"utf8" is not accepted after "v8"'],
    ['two formats', ['json', 'yaml'], '"yaml" is not accepted after "json"'],
    ['a format at the end', ['json', gzipStage, 'bson'], '"bson" is not accepted after "gzip"'],
    ['an unknown name', ['xml'], '"xml" is not accepted'],
    ['the name of a stage', ['json', 'gzip'], '"gzip" is not accepted'],
    ['nothing', [], '[] is not accepted'],
    ['no list', 'json', '"json" is not accepted'],
    ['no stage', ['json', null], 'null is not accepted'],
    ['a stage without loads', ['json', { name: 'x', dumps: String }], '{"name":"x"} is not accepted'],
  ])('%s', (_, stages, message) => {
    const make = () => new SerializerPipeline(stages as Parts);
    expect(make).toThrow(TypeError);
    expect(make).toThrow(`stages: ${message}`);
  });
});

describe('wrong values are refused when they are written', () => {
  test('an object before a stage of bytes', async () => {
    const none: Serializer = { name: 'none', dumps: (value) => value as string, loads: (value: unknown) => value };
    await expect(new SerializerPipeline([none, gzipStage]).dumps({})).rejects.toThrow(
      'a stage returned a value of type object',
    );
  });

  test('bytes before the encoder', async () => {
    await expect(new SerializerPipeline([packed, utf8Stage]).dumps({})).rejects.toThrow('utf8Stage gets');
  });
});

describe.each([
  ['gzip', gzipStage],
  ['brotli', brotliStage],
])('unpacking by %s is bounded', (_, stage) => {
  const { body } = new SerializerPipeline(['json', stage]);

  test('by the stored length for a body', async () => {
    const bomb = await body?.dumps(Buffer.alloc(8 * MIB));
    await expect(body?.loads(bomb as Uint8Array, 1_000)).rejects.toMatchObject({ code: 'ERR_BUFFER_TOO_LARGE' });
    await expect(body?.loads(bomb as Uint8Array, 0)).rejects.toMatchObject({ code: 'ERR_BUFFER_TOO_LARGE' });
  });

  test('by 64 MiB for metadata', async () => {
    const bomb = (await stage.dumps(Buffer.alloc(65 * MIB))) as Uint8Array;
    await expect(new SerializerPipeline(['json', stage]).loads(bomb)).rejects.toMatchObject({
      code: 'ERR_BUFFER_TOO_LARGE',
    });
  });
});

test('a body that grows by packing can be unpacked through two stages', async () => {
  const { body } = new SerializerPipeline(['json', gzipStage, brotliStage, gzipStage]);
  for (const size of [1, 100, 1_000_000]) {
    const raw = randomBytes(size);
    const data = (await body?.dumps(raw)) as Uint8Array;
    expect(Buffer.from((await body?.loads(data, size)) as Uint8Array).equals(raw)).toBe(true);
  }
});

test('a stage of the user may make a body longer before it is compressed', async () => {
  const hex: Stage = {
    name: 'hex',
    bytes: true,
    dumps: (data: Uint8Array) => Buffer.from(Buffer.from(data).toString('hex')),
    loads: (data: Uint8Array) => Buffer.from(Buffer.from(data).toString(), 'hex'),
  };
  const { body } = new SerializerPipeline(['json', hex, gzipStage]);
  const bytes = randomBytes(MIB);
  const written = await body?.dumps(bytes);
  expect(Buffer.from((await body?.loads(written as Uint8Array, MIB)) as Uint8Array).equals(bytes)).toBe(true);
});

test('a stage of the user gets the limit', async () => {
  const limits: number[] = [];
  const loads: Stage['loads'] = (data, limit) => {
    limits.push(limit);
    return slow.loads(data, limit);
  };
  const stage: Stage = { ...slow, loads };
  const pipeline = new SerializerPipeline(['json', stage]);
  await pipeline.loads(await pipeline.dumps({}));
  await pipeline.body?.loads(Buffer.of(1), 1);
  expect(limits).toEqual([64 * MIB, 1]);
});

test('truncated or foreign data is refused', async () => {
  const pipeline = new SerializerPipeline(['json', gzipStage]);
  const data = Buffer.from(await pipeline.dumps({ a: 'b'.repeat(1_000) }));
  await expect(pipeline.loads(data.subarray(0, 20))).rejects.toThrow();
  await expect(pipeline.loads(gzipSync(''))).rejects.toThrow();
  await expect(pipeline.loads(Buffer.from('text'))).rejects.toThrow();
});

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FlattenedSign, flattenedVerify } from 'jose';
import type { Entry } from '../../lib/models/entry.js';
import { sha256Base64url } from '../../lib/platform/digest.js';
import { derivedKey, keyId } from '../../lib/serializers/keys.js';
import { Signer } from '../../lib/serializers/signing.js';

const SECRET = Buffer.alloc(32, 7);
const KEY = derivedKey(SECRET, 'sign');

function entry(more: Partial<Entry> = {}): Entry {
  return {
    id: 'a'.repeat(64),
    kind: 'response',
    group: 'a'.repeat(64),
    receivedAt: 1_700_000_000_000,
    staleAt: Number.POSITIVE_INFINITY,
    indexes: ['1'.repeat(32)],
    order: 7,
    protection: '',
    size: 12,
    signature: '',
    meta: Buffer.from('json;text\n{}'),
    body: Buffer.from('body'),
    ...more,
  };
}

/** The manifest as docs/decisions/0029-verify-by-node-crypto.md describes it. */
function manifest(entry: Entry): Buffer {
  const { id, kind, group, receivedAt, staleAt, indexes, order, protection, meta, body } = entry;
  const head = `2 5:cache ${id.length}:${id} ${kind} ${group.length}:${group} ${receivedAt} ${staleAt} ${order}`;
  const digests = indexes.map((digest) => `${digest.length}:${digest}`).join(' ');
  const rest = `${protection} ${sha256Base64url(meta)} ${sha256Base64url(body)}`;
  return Buffer.from(`${head} ${indexes.length} ${digests} ${rest}`);
}

/** Verifies signatures of the package by jose. */
async function verifyByJose(signed: Entry): Promise<unknown> {
  const [, header = '', signature = ''] = /^[\w-]{43}:([\w-]+)\.\.([\w-]{43})$/.exec(signed.signature) ?? [];
  return flattenedVerify({ protected: header, payload: manifest(signed), signature }, KEY, { algorithms: ['HS256'] });
}

/** Signs by jose alone, with the raw key. */
async function signByJose(plain: Entry): Promise<Entry> {
  const marked: Entry = { ...plain, protection: plain.protection === 'E' ? 'B' : 'S' };
  const { protected: header, signature } = await new FlattenedSign(manifest(marked))
    .setProtectedHeader({ alg: 'HS256', b64: false, crit: ['b64'], kid: keyId(KEY) })
    .sign(KEY);
  return { ...marked, signature: `${sha256Base64url(marked.body)}:${header}..${signature}` };
}

const entries = fc.record({
  id: fc.stringMatching(/^[0-9a-f]{64}(\.[0-9a-f]{32})?$/),
  group: fc.stringMatching(/^[0-9a-f]{64}$/),
  kind: fc.constantFrom('response', 'variants', 'redirect'),
  receivedAt: fc.nat(),
  staleAt: fc.oneof(fc.nat(), fc.constant(Number.POSITIVE_INFINITY)),
  indexes: fc.array(fc.stringMatching(/^[0-9a-f]{32}$/), { maxLength: 3 }),
  order: fc.nat(),
  protection: fc.constantFrom('', 'E'),
  meta: fc.uint8Array({ maxLength: 300 }),
  body: fc.uint8Array({ maxLength: 300 }),
});

describe('jose and node:crypto agree', () => {
  test('on every entry: each accepts the bytes of the other', async () => {
    const signer = new Signer([SECRET], 'cache');
    await fc.assert(
      fc.asyncProperty(entries, async (more) => {
        const plain = entry(more as Partial<Entry>);
        const [own, byJose] = [await signer.sign(plain), await signByJose(plain)];
        expect(own.signature).toBe(byJose.signature);
        expect(signer.verify(own, own.body)).toBeUndefined();
        await expect(verifyByJose(own)).resolves.toBeDefined();
      }),
      { numRuns: 200 },
    );
  });

  test('on what they refuse', async () => {
    const signer = new Signer([SECRET], 'cache');
    const signed = await signer.sign(entry());
    const changes: readonly Partial<Entry>[] = [
      { id: 'b'.repeat(64) },
      { kind: 'redirect' },
      { group: 'b'.repeat(64) },
      { receivedAt: 1 },
      { staleAt: 1 },
      { indexes: [] },
      { indexes: ['1'.repeat(31), '1'] },
      { group: `${'a'.repeat(64)} 1` },
      { order: 8 },
      { protection: 'B' },
      { meta: Buffer.from('json;text\n{ }') },
    ];
    for (const change of changes) {
      const changed = { ...signed, ...change };
      expect(signer.verify(changed, changed.body)).toBe('bad-signature');
      await expect(verifyByJose(changed)).rejects.toThrow('signature verification failed');
    }
  });
});

describe('a signature is accepted in one form alone', () => {
  const refused = async (change: (signature: string) => string) => {
    const signer = new Signer([SECRET], 'cache');
    const signed = await signer.sign(entry());
    return signer.verify({ ...signed, signature: change(signed.signature) }, signed.body);
  };

  test('not with spare bits in its last digit', async () => {
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const sameBytes = (text: string) => text.slice(0, -1) + digits[digits.indexOf(text.slice(-1)) ^ 1];
    expect(await refused(sameBytes)).toBe('bad-signature');
  });

  test('not with another header, though it names the same key', async () => {
    const header = { alg: 'HS256', b64: false, crit: ['b64'], kid: keyId(KEY), typ: 'JWT' };
    const encoded = Buffer.from(JSON.stringify(header)).toString('base64url');
    expect(await refused((text) => text.replace(/:[^.]+/, `:${encoded}`))).toBe('unknown-key');
  });

  test.each([
    ['a line break', (text: string) => `${text}\n`],
    ['more text', (text: string) => `${text}A`],
    ['less text', (text: string) => text.slice(0, -1)],
    ['padding', (text: string) => `${text}=`],
  ])('not with %s', async (_, change) => {
    expect(await refused(change)).toBe('bad-signature');
  });
});

test('a hit verifies synchronously', async () => {
  const signer = new Signer([SECRET], 'cache');
  const signed = await signer.sign(entry());
  expect(signer.verify(signed, Buffer.from('evil'))).toBe('bad-digest');
  expect(signer.verify(signed, undefined)).toBeUndefined();
});

// The cost of signing and encrypting, compared with an HMAC, in one run: medians of interleaved rounds.
// npm run bench:protection

import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';

const folder = mkdtempSync(path.join(process.cwd(), 'node_modules', '.bench-'));
const outfile = path.join(folder, 'protection.mjs');
const contents = `
  export { Signer } from './lib/serializers/signing.ts';
  export { Cipher } from './lib/serializers/encryption.ts';
`;
const options = { bundle: true, platform: 'node', format: 'esm', packages: 'external', outfile };
buildSync({ stdin: { contents, resolveDir: process.cwd(), loader: 'ts' }, ...options });
const { Signer, Cipher } = await import(pathToFileURL(outfile).href);
rmSync(folder, { recursive: true });

const key = randomBytes(32);
const signer = new Signer([key], 'bench');
const cipher = new Cipher([key], 'bench');
const id = 'a'.repeat(64);
const rows = {};

for (const [name, size, times] of [
  ['1 KB', 1_000, 800],
  ['30 KB', 30_000, 400],
  ['1 MB', 1_000_000, 30],
]) {
  const meta = randomBytes(600);
  const entry = {
    id,
    kind: 'response',
    group: id,
    receivedAt: 1,
    staleAt: 2,
    indexes: [],
    order: 0,
    protection: '',
    signature: '',
    size,
    meta,
    body: randomBytes(size),
  };
  const signed = await signer.sign(entry);
  const encrypted = cipher.encrypt(entry);
  const cases = {
    hmac: () => createHmac('sha256', key).update(entry.body).digest(),
    sign: () => signer.sign(entry),
    verify: () => signer.verify(signed, signed.body),
    encrypt: () => cipher.encrypt(entry),
    decrypt: () => cipher.decrypt(encrypted, encrypted.body),
  };
  const samples = Object.fromEntries(Object.keys(cases).map((one) => [one, []]));
  for (let round = 0; round < 12; round += 1) {
    for (const [one, run] of Object.entries(cases)) {
      const start = process.hrtime.bigint();
      for (let time = 0; time < times; time += 1) await run();
      if (round >= 2) samples[one].push(Number(process.hrtime.bigint() - start) / 1000 / times);
    }
  }
  const median = (one) => Number(samples[one].sort((a, b) => a - b)[5].toFixed(1));
  rows[name] = {
    'HMAC µs': median('hmac'),
    'sign µs': median('sign'),
    'verify µs': median('verify'),
    'encrypt µs': median('encrypt'),
    'decrypt µs': median('decrypt'),
    'bytes signed': signed.signature.length,
    'bytes encrypted': encrypted.meta.byteLength + encrypted.body.byteLength - meta.byteLength - size,
  };
}
console.table(rows);

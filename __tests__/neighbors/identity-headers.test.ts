import { expect, test } from '@jest/globals';
import { isCredentialHeader } from '../../lib/request/credentials.js';
import { startBench } from '../support/api.js';

/** Headers that say who asks, or for whom, without a word such as token or user. */

const NAMES = [
  ...[
    'Access-Code',
    'X-Acting-As',
    'X-Device-Id',
    'X-Hmac',
    'X-License',
    'X-Owner',
    'X-Person',
    'X-Plex-Client-Identifier',
  ],
  ...[
    'X-Profile-Id',
    'X-Realm',
    'X-Shop-Domain',
    'X-Site-Id',
    'X-Store-Id',
    'X-Ticket',
    'X-Vault-Namespace',
    'X-Viewer',
  ],
];

test.each(NAMES)('%s: another value is another user', async (name) => {
  await using bench = await startBench();
  await bench.api.get('/a', { headers: { [name]: 'planted1' } });
  expect((await bench.api.get('/a', { headers: { [name]: 'planted2' } })).fromCache).toBe(false);
  expect((await bench.api.get('/a', { headers: { [name]: 'planted1' } })).fromCache).toBe(true);
  const stored: unknown[] = [];
  for await (const response of bench.api.cache.values()) stored.push(response.request);
  expect(JSON.stringify(stored)).not.toContain('planted');
});

test.each(['x-device-type', 'x-client-version', 'access-control-request-headers', 'x-store', 'x-code', 'x-site'])(
  '%s is no credential',
  (name) => expect(isCredentialHeader(name, { credentialNames: new Set() })).toBe(false),
);

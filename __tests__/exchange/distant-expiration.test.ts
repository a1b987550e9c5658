import { describe, expect, test } from '@jest/globals';
import type { CacheOptions } from '../../lib/settings/types.js';
import { startBench, temporaryFolder } from '../support/api.js';
import { sendJson } from '../support/origin.js';
import { describeStores } from '../support/stores.js';

/** Instants of more than 13 digits, which stores keep as never. */
const DISTANT: readonly (readonly [string, string])[] = [
  ['the year 9999', 'Fri, 31 Dec 9999 23:59:59 GMT'],
  ['the year 2286', 'Sat, 20 Nov 2286 17:46:40 GMT'],
];

const PROTECTIONS: readonly (readonly [string, CacheOptions])[] = [
  ['as the store is', {}],
  ['signed', { secretKey: 's'.repeat(32) }],
  ['encrypted', { encryptionKey: 'e'.repeat(32) }],
];

describe.each(PROTECTIONS)('%s', (_, protection) => {
  describeStores((options) => {
    test.each(DISTANT)('a response that expires in %s is served', async (_name, expires) => {
      await using folder = await temporaryFolder();
      await using bench = await startBench(
        { ...options(folder.path), ...protection, cacheControl: true },
        (_request, response, count) => sendJson(response, count, { expires }),
      );
      await bench.api.get('/');
      expect((await bench.api.get('/')).fromCache).toBe(true);
    });

    test('a response that expired before 1970 is revalidated', async () => {
      await using folder = await temporaryFolder();
      await using bench = await startBench(
        { ...options(folder.path), ...protection, cacheControl: true },
        ({ headers }, response) => {
          const fields = { expires: 'Mon, 01 Jan 1601 00:00:00 GMT', etag: '"1"' };
          if (headers['if-none-match']) response.writeHead(304, fields).end();
          else sendJson(response, 1, fields);
        },
      );
      await bench.api.get('/');
      expect((await bench.api.get('/')).revalidated).toBe(true);
    });
  });
});

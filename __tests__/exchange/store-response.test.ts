import { describe, expect, test } from '@jest/globals';
import { startBench } from '../support/api.js';
import { sendJson } from '../support/origin.js';

/** A token of the form that the rules for parameters recognize by its name. */
const WITH_SECRET = 'https://a.example/next?access_token=s3cret';

describe('a secret in a URL of a header', () => {
  test.each([
    ['location', WITH_SECRET],
    ['content-location', WITH_SECRET],
    ['link', `<${WITH_SECRET}>; rel="next"`],
    ['refresh', `5; url=${WITH_SECRET}`],
  ])('%s: stored only encrypted, and then unchanged', async (name, value) => {
    await using bench = await startBench({}, (_, response) => sendJson(response, 1, { [name]: value }));
    for (let time = 0; time < 2; time += 1) {
      const { fromCache, cacheStatus, headers } = await bench.api.get('/');
      expect([fromCache, cacheStatus, headers[name]]).toEqual([
        false,
        expect.stringContaining('detail=secret-in-header'),
        value,
      ]);
    }
    expect(await bench.api.cache.responseCount()).toBe(0);
    const encrypted = bench.more({ encryptionKey: 'e'.repeat(32) });
    await encrypted.get('/');
    const hit = await encrypted.get('/');
    expect([hit.fromCache, hit.headers[name]]).toEqual([true, value]);
  });
});

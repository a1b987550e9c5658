import { describe, expect, test } from '@jest/globals';
import { startBench, temporaryFolder } from '../support/api.js';
import { until } from '../support/faults.js';
import { type Handler, sendJson } from '../support/origin.js';
import { describeStores } from '../support/stores.js';

/** One document for each X-Mode, with Vary in all responses but the first. */
const confirming: Handler = ({ headers }, response, count) => {
  const isConfirmed = headers['if-none-match'] !== undefined && headers['x-mode'] === 'plain';
  const fields = { etag: '"1"', 'cache-control': 'max-age=60', ...(count > 1 ? { vary: 'X-Mode' } : {}) };
  if (isConfirmed) response.writeHead(304, fields).end();
  else sendJson(response, { mode: headers['x-mode'], count }, fields);
};

const as = (mode: string) => ({ headers: { 'X-Mode': mode } });

describeStores((options) => {
  test.each([true, false])(
    'a 304 that adds Vary selects by it from then on, cacheControl: %s',
    async (cacheControl) => {
      await using folder = await temporaryFolder();
      await using bench = await startBench({ ...options(folder.path), cacheControl, expireAfter: 60 }, confirming);
      await bench.api.get('/', as('plain'));
      bench.clock.advance(61);
      expect((await bench.api.get('/', as('plain'))).revalidated).toBe(true);
      expect((await bench.api.get('/', as('rich'))).data.mode).toBe('rich');
      expect((await bench.api.get('/', as('plain'))).data.mode).toBe('plain');
    },
  );

  test('a 304 that removes Vary selects every request', async () => {
    await using folder = await temporaryFolder();
    await using bench = await startBench(
      { ...options(folder.path), cacheControl: true },
      ({ headers }, response, count) => {
        const fields = { etag: '"1"', 'cache-control': 'max-age=60' };
        if (headers['if-none-match']) response.writeHead(304, { ...fields, vary: 'X-Unused' }).end();
        else sendJson(response, count, { ...fields, vary: 'X-Mode' });
      },
    );
    await bench.api.get('/', as('plain'));
    bench.clock.advance(61);
    await bench.api.get('/', as('plain'));
    expect(await bench.api.get('/', as('rich'))).toMatchObject({ fromCache: true, data: 1 });
  });
});

test('the response to HEAD with another Vary makes the stored response stale', async () => {
  await using bench = await startBench({ cacheControl: true }, ({ method, headers }, response, count) => {
    const fields = { etag: '"1"', 'cache-control': 'max-age=60' };
    if (method === 'HEAD') response.writeHead(200, { ...fields, vary: 'X-Mode' }).end();
    else sendJson(response, { mode: headers['x-mode'], count }, fields);
  });
  await bench.api.get('/', as('plain'));
  await bench.api.head('/', as('rich'));
  expect((await bench.api.get('/', as('rich'))).data.mode).toBe('rich');
});

test('two variants with one ETag, of which a 304 without Vary confirms each, are not shared', async () => {
  const releases: (() => void)[] = [];
  await using bench = await startBench({ cacheControl: true }, async ({ headers }, response) => {
    if (headers['if-none-match'] === undefined) {
      const fields = { etag: '"1"', vary: 'X-Mode', 'cache-control': 'max-age=60' };
      return sendJson(response, headers['x-mode'], fields);
    }
    await new Promise<void>((resolve) => releases.push(resolve));
    response.writeHead(304, { etag: '"1"', 'cache-control': 'max-age=60' }).end();
  });
  for (const mode of ['plain', 'rich']) await bench.api.get('/', as(mode));
  bench.clock.advance(61);
  const asked = ['plain', 'rich'].map((mode) => bench.api.get('/', as(mode)));
  await until('the origin is asked', () => releases.length === 1);
  releases[0]?.();
  await until('the origin is asked again', () => releases.length === 2);
  releases[1]?.();
  expect((await Promise.all(asked)).map(({ data }) => data)).toEqual(['plain', 'rich']);
});

describe('with keyFn, credentials in Vary', () => {
  const personal: Handler = ({ headers }, response) =>
    sendJson(response, headers.authorization ?? headers.cookie ?? '', { vary: 'Authorization, Cookie' });

  test.each(['Authorization', 'Cookie'])('%s selects the response', async (name) => {
    await using bench = await startBench({ keyFn: ({ url }) => url }, personal);
    for (const user of ['plain', 'rich', 'plain']) {
      expect((await bench.api.get('/', { headers: { [name]: user } })).data).toBe(user);
    }
    expect(bench.origin.asked).toHaveLength(2);
  });

  test("are left out with credentials: 'ignore'", async () => {
    await using bench = await startBench({ keyFn: ({ url }) => url, credentials: 'ignore' }, personal);
    for (const user of ['plain', 'rich']) await bench.api.get('/', { headers: { Authorization: user } });
    expect(bench.origin.asked).toHaveLength(1);
  });
});

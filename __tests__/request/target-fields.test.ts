import { expect, test } from '@jest/globals';
import { startBench, temporaryFolder } from '../support/api.js';
import { type Handler, sendJson } from '../support/origin.js';
import { describeStores, type OptionsIn } from '../support/stores.js';

/** As an origin that serves several sites, chosen by the field that the test names. */
const site: Handler = ({ url, headers }, response) => sendJson(response, headers[url.slice(1)] ?? 'none');

const FIELDS: readonly (readonly [string, string, string])[] = [
  ['x-forwarded-host', 'one.example', 'two.example'],
  ['x-forwarded-proto', 'http', 'https'],
  ['x-forwarded-prefix', '/one', '/two'],
  ['x-host', 'one.example', 'two.example'],
  ['x-original-host', 'one.example', 'two.example'],
  ['x-original-url', '/one', '/two'],
  ['x-rewrite-url', '/one?a', '/one?b'],
  ['x-amz-target', 'DynamoDB_20120810.DescribeTable', 'DynamoDB_20120810.Scan'],
  ['accept-profile', 'tenant_a', 'tenant_b'],
  ['x-github-api-version', '2022-11-28', '2026-01-01'],
  ['forwarded', 'for=192.0.2.1;host=one.example', 'for=192.0.2.1;host=two.example'],
  ['forwarded', 'host="one.example";proto=http', 'host="one.example";proto=https'],
  ['forwarded', 'for=a, for=b;Host=one.example', 'for=a, for=b;Host=two.example'],
];

function siteTests(optionsIn: OptionsIn): void {
  test.each(FIELDS)('%s: %s and %s are different targets', async (name, one, two) => {
    await using folder = await temporaryFolder();
    await using bench = await startBench(optionsIn(folder.path), site);
    const seen = [];
    for (const value of [one, two, one, undefined]) {
      const { data, fromCache } = await bench.api.get(`/${name}`, { headers: { [name]: value } });
      seen.push([data, fromCache]);
    }
    expect(seen).toEqual([
      [one, false],
      [two, false],
      [one, true],
      ['none', false],
    ]);
  });
}

describeStores(siteTests);

test.each([
  ['addresses of clients', 'Forwarded', ['for=192.0.2.1;by=a', 'for=192.0.2.2;by=b'], {}],
  ['addresses of clients, in the older form', 'X-Forwarded-For', ['192.0.2.1', '192.0.2.2'], {}],
  ['ignored fields', 'X-Forwarded-Host', ['a', 'b'], { ignoredParameters: ['x-forwarded-host'] }],
] as const)('%s are no targets', async (_, name, values, options) => {
  await using bench = await startBench(options, site);
  const seen = [];
  for (const value of values) seen.push((await bench.api.get('/', { headers: { [name]: value } })).fromCache);
  expect(seen).toEqual([false, true]);
});

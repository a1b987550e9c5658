import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { startBench } from '../support/api.js';

interface Captured {
  readonly package: string;
  readonly version: string;
  /** The headers of two calls of the same operation, without those of the connection. */
  readonly calls: readonly { readonly method: string; readonly headers: Record<string, string> }[];
}

/**
 * The requests of two equal calls of the packages, as a server received them, seconds apart, without the fields of the
 * connection: SDKs with their own clients, tracing libraries around axios. Names of the capturing machine were
 * replaced.
 */
const CAPTURED = JSON.parse(readFileSync('__tests__/fixtures/sdk-headers.json', 'utf8')) as readonly Captured[];

test('ten packages were captured, and some change headers from call to call', () => {
  expect(CAPTURED.length).toBeGreaterThanOrEqual(10);
  const changing = CAPTURED.filter(({ calls: [one, two] }) => JSON.stringify(one) !== JSON.stringify(two));
  expect(changing.length).toBeGreaterThanOrEqual(5);
});

describe.each([
  ['by default', {}],
  ['with cacheControl', { cacheControl: true, expireAfter: '1m' }],
] as const)('the headers of two calls of a package, %s', (_, options) => {
  test.each(CAPTURED.map((one) => [`${one.package} ${one.version}`, one] as const))(
    '%s: a hit',
    async (_, { calls }) => {
      await using bench = await startBench({ ...options, allowableMethods: ['GET', 'POST'] });
      const seen: boolean[] = [];
      for (const { method, headers } of calls) {
        const data = method === 'POST' ? 'name=a' : undefined;
        const { fromCache } = await bench.api.request({ url: '/', method, headers, data });
        seen.push(fromCache === true);
      }
      expect(seen).toEqual([false, true]);
    },
  );

  test.each(CAPTURED.map((one) => [`${one.package} ${one.version}`, one] as const))(
    '%s: another user is no hit',
    async (_, { calls }) => {
      await using bench = await startBench({ ...options, allowableMethods: ['GET', 'POST'] });
      for (const [index, { method, headers }] of calls.entries()) {
        const own = { ...headers, authorization: `${headers.authorization}${index}` };
        const { fromCache } = await bench.api.request({ url: '/', method, headers: own });
        expect(fromCache).toBe(false);
      }
    },
  );
});

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from '@jest/globals';
import { foreignHint } from '../../lib/settings/foreign-names.js';
import { OPTION_NAMES, REQUEST_NAMES } from '../../lib/settings/schema.js';

const types = readFileSync(
  createRequire(import.meta.url)
    .resolve('axios-cache-interceptor')
    .replace(/\.cjs$/, '.d.cts'),
);

/** Returns the members of an interface of axios-cache-interceptor. */
function membersOf(name: string): string[] {
  const body = new RegExp(`interface ${name}\\b[^\\n]*\\{([\\s\\S]*?)\\n\\}`).exec(String(types))?.[1] ?? '';
  return [...body.matchAll(/^ {2}(\w+)\??:/gm)].map(([, member = '']) => member);
}

test.each([
  ['CacheProperties', 'ttl'],
  ['CacheInstance', 'storage'],
  ['CacheOptions', 'register'],
])('every member of %s has a hint, or the same name', (name, one) => {
  const members = membersOf(name);
  expect(members).toContain(one);
  const same = new Set<string>([...OPTION_NAMES, ...REQUEST_NAMES]);
  expect(members.filter((member) => !same.has(member) && foreignHint(member) === undefined)).toEqual([]);
});

test('no option of this package has a hint', () => {
  expect([...OPTION_NAMES, ...REQUEST_NAMES].filter((name) => foreignHint(name) !== undefined)).toEqual([]);
});

test('hints name options that exist', () => {
  const known = new Set<string>([...OPTION_NAMES, ...REQUEST_NAMES]);
  const names = ['ttl', 'methods', 'storage', 'override', 'update', 'location', 'hydrate'];
  const meant = names.map((name) => /^it is (\w+) here/.exec(foreignHint(name) ?? '')?.[1] ?? '');
  expect(meant.filter((name) => !known.has(name))).toEqual([]);
});

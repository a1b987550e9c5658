import { existsSync, readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { expect, test } from '@jest/globals';

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => path.posix.join('docs', file.replaceAll('\\', '/'))),
];

/** Folders of the test files that a page names without a path. */
const SHORT_NAMES: Readonly<Record<string, string>> = { 'docs/rfc9111.md': '__tests__/policy' };

const named = pages.flatMap((page) =>
  [...readFileSync(page, 'utf8').matchAll(/`((?:__tests__\/)?[\w./-]+)`/g)]
    .map(([, name = '']) => name)
    .filter((name) => name.startsWith('__tests__/') || /\.test\.ts$/.test(name))
    .map((name) => [page, name] as const),
);

test('documents name tests', () => {
  expect(new Set(named.map(([page]) => page)).size).toBeGreaterThan(3);
});

test.each(named)('%s: the test %s exists', (page, name) => {
  const folder = name.startsWith('__tests__/') ? '' : (SHORT_NAMES[page] ?? '__tests__');
  expect(existsSync(path.join(folder, name))).toBe(true);
});

const promises = [...readFileSync('docs/contract.md', 'utf8').matchAll(/\| `(__tests__\/\S+)`: "(.+)" \|$/gm)].map(
  ([, file = '', title = '']) => [file, title] as const,
);

test('every promise of docs/contract.md has a test', () => {
  expect(promises.length).toBeGreaterThan(100);
  const missing = promises.filter(([file, title]) => !existsSync(file) || !readFileSync(file, 'utf8').includes(title));
  expect(missing).toEqual([]);
});

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

/** Pages of the site: in those of the project, names of files are names of sources. */
const guides = pages.filter((page) => /^docs\/[\w-]+\.md$/.test(page));

test('a page that is named is a link', () => {
  const mentions = guides.flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/`((?:docs|examples)\/[\w-]+\.\w+|[\w-]+\.md)`/g)].map(([, name]) => [
      page,
      name,
    ]),
  );
  const examples = readdirSync('examples').map((name) => `\`${name}\``);
  const unlinked = guides.filter((page) => examples.some((name) => readFileSync(page, 'utf8').includes(name)));
  expect([mentions, unlinked]).toEqual([[], []]);
});

test('each decision has a number of its own, which begins its file and its heading', () => {
  const decisions = readdirSync('docs/decisions').sort();
  const numbers = decisions.map((file) => Number(file.slice(0, 4)));
  expect(numbers).toEqual(decisions.map((_, index) => index + 1));
  const headings = decisions.map((file) => readFileSync(path.join('docs/decisions', file), 'utf8').split('.', 1)[0]);
  expect(headings).toEqual(numbers.map((number) => `# ${number}`));
});

/** A row of docs/contract.md: a promise, a file, the title of a test or of a case, and perhaps a case. */
const PROMISE = /^\| .+ \| `(__tests__\/\S+)`: "(.+?)"(?: \("(.+)"\))? \|$/;

/** Whether the text has a test or a case of that title: a whole literal, first in its call or row. */
function hasTitle(text: string, title: string): boolean {
  const literals = ["'", '"', '`'].map((quote) => quote + title + quote);
  const places = literals.flatMap((literal) => text.split(literal).slice(0, -1));
  return places.some((before) => /[([]\s*$/.test(before));
}

test('every promise of docs/contract.md has a test', () => {
  const rows = readFileSync('docs/contract.md', 'utf8')
    .split(/\r?\n/)
    .filter((line) => line.startsWith('|') && !/^\| promise \||^\|---/.test(line));
  expect(rows.length).toBeGreaterThan(100);
  const wrong = rows.filter((row) => {
    const [, file = '', title = '', one] = PROMISE.exec(row) ?? [];
    if (!existsSync(file)) return true;
    const text = readFileSync(file, 'utf8');
    return !hasTitle(text, title) || (one !== undefined && !hasTitle(text, one));
  });
  expect(wrong).toEqual([]);
});

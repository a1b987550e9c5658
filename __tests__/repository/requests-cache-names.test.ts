import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

/** The names of the API of requests-cache 0.7 by the sections of its reference. */
const SECTIONS = JSON.parse(readFileSync('__tests__/fixtures/requests-cache-names.json', 'utf8')) as Record<
  string,
  readonly string[]
>;

/** The words of the public declarations; another test compares them with the build. */
const PUBLIC = new Set(readFileSync('docs/api-report.txt', 'utf8').match(/\w+/g));

/** The rows of all tables of docs/from-requests-cache.md, as cells. */
const ROWS = readFileSync('docs/from-requests-cache.md', 'utf8')
  .split(/\r?\n/)
  .filter((line) => line.startsWith('| `'))
  .map((line) =>
    line
      .slice(1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );

/** The identifiers of the code in a cell: `cache.delete(key)` has cache, delete and key. */
function identifiers(cell = ''): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, code = '']) => code.match(/\w+/g) ?? []);
}

function camelCase(name: string): string {
  return /^[a-z]/.test(name) ? name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()) : name;
}

/** Whether a row names public names of this package, or says that there is none and why. */
function isAnswered(name: string, [, here = '', reason = '']: readonly string[]): boolean {
  if (here.startsWith('none')) return reason !== '' || here.includes(':');
  const names = here.startsWith('the same') ? [camelCase(name)] : identifiers(here);
  return names.some((one) => PUBLIC.has(one));
}

const NAMES = Object.entries(SECTIONS).flatMap(([section, names]) => names.map((name) => [section, name] as const));

test.each(NAMES)('%s: %s is public here, or its replacement is named', (_, name) => {
  const rows = ROWS.filter(([theirs]) => identifiers(theirs).includes(name));
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.filter((row) => !isAnswered(name, row))).toEqual([]);
});

test('every row of the page is answered', () => {
  const wrong = ROWS.filter((row) => !identifiers(row[0]).some((name) => isAnswered(name, row)));
  expect(wrong).toEqual([]);
});

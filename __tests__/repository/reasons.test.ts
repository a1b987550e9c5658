import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { expect, test } from '@jest/globals';
import { PAGE, reasonsPage } from '../../scripts/reasons.mjs';

const sources = readdirSync('lib', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('reasons.ts'))
  .map((file) => readFileSync(path.join('lib', file), 'utf8'))
  .join('\n');
const declared = [...readFileSync('lib/policy/reasons.ts', 'utf8').matchAll(/^ {2}\| '([a-z-]+)'/gm)].map(
  ([, reason = '']) => reason,
);

test(`${PAGE} is the page that npm run reasons writes`, () => {
  expect(readFileSync(PAGE, 'utf8')).toBe(reasonsPage());
});

test('the page has every reason and every error code', () => {
  const page = reasonsPage();
  const codes = new Set(sources.match(/ERR_CACHE_[A-Z_]+/g));
  expect([...declared, ...codes].filter((name) => !page.includes(`| \`${name}\` |`))).toEqual([]);
  expect(declared.length).toBeGreaterThan(60);
});

test('every reason occurs in the sources', () => {
  expect(declared.filter((reason) => !sources.includes(`'${reason}'`))).toEqual([]);
});

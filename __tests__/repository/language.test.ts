import { readdirSync, readFileSync, statSync } from 'node:fs';
import * as path from 'node:path';
import { describe, expect, test } from '@jest/globals';

/** Phrases and names that were replaced (CONTRIBUTING.md, Style and Glossary), with their replacement. */
const REFUSED: readonly { readonly pattern: RegExp; readonly instead: string; readonly except?: RegExp }[] = [
  { pattern: /(?<!\bin[ -])\bflights?\b/i, instead: 'coalesced request' },
  { pattern: /\bpassengers?\b/i, instead: 'caller, progress listener' },
  { pattern: /\bpatience\b/i, instead: 'caller limits' },
  { pattern: /\bguards?\b/i, instead: 'circuit breaker' },
  { pattern: /\b(seats?|departures?)\b/i, instead: 'coalesced request' },
  { pattern: /\b(tells?|told)\b/i, instead: 'reports, returns, distinguishes' },
  { pattern: /\bfor ever\b/i, instead: 'forever' },
  { pattern: /\bleads? (to|from|nowhere)\b/i, instead: 'maps to, contains the id of' },
  {
    pattern: /\bstands? (for|on|between|behind|before|still|around|alone)\b/i,
    instead: 'a verb that says what happens',
  },
  { pattern: /\bis out\b(?! of\b)/i, instead: 'is down (outage)' },
  { pattern: /\bwhoever\b/i, instead: 'the caller, the process' },
  { pattern: /\bon (its|their) way\b/i, instead: 'in flight' },
  { pattern: /\b(go|goes|going) by\b/i, instead: 'expires, is deleted' },
  { pattern: /\blet(s|ting)? go of\b/i, instead: 'deletes, releases' },
  { pattern: /\bholds\b/i, instead: 'stores, contains' },
  { pattern: /\b(dropExact|dropGroups|recall)\b/i, instead: 'delete, deleteGroups, lookup' },
  // `purge` is also a method of HTTP, for which axios has a group of default headers.
  { pattern: /\bpurge[sd]?\b/i, instead: 'deleteExpired, deletes', except: /'PURGE'|'purge'|`PURGE`/ },
  { pattern: /\b\w*(behaviour|colour|neighbour|honour|favour)\w*/i, instead: 'American spelling' },
  { pattern: /\b\w*(serialis|normalis|recognis|initialis|organis)\w*|\bcancelled\b/i, instead: 'American spelling' },
  { pattern: /^\s*(\/\*\*|\*|\/\/) (What|Who|Where) [^?]*$/, instead: 'a docstring with a noun or a verb' },
];

const PLACES = [
  'lib',
  '__tests__',
  'scripts',
  'bench',
  'examples',
  'docs',
  'README.md',
  'SECURITY.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
];
const SELF = path.join('__tests__', 'repository', 'language.test.ts');
const files = PLACES.flatMap(textFilesOf).filter((file) => file !== SELF);

function textFilesOf(place: string): string[] {
  if (statSync(place).isFile()) return [place];
  return readdirSync(place, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(ts|mts|mjs|md|sh)$/.test(file) && !/(^|[\\/])node_modules[\\/]/.test(file))
    .map((file) => path.join(place, file));
}

/** Returns the refused phrases of a text, as `line: "phrase" (instead: ...)`. */
function refusedIn(text: string): string[] {
  return text
    .split('\n')
    .flatMap((line, index) =>
      REFUSED.filter(({ pattern, except }) => pattern.test(line) && !except?.test(line)).map(
        ({ pattern, instead }) => `${index + 1}: "${pattern.exec(line)?.[0].trim()}" (instead: ${instead})`,
      ),
    );
}

describe('the language of sources and documents', () => {
  test('no replaced phrase or name comes back', () => {
    const found = files.flatMap((file) => refusedIn(readFileSync(file, 'utf8')).map((one) => `${file}:${one}`));
    expect(found).toEqual([]);
  });

  test.each([
    ['the flight is shared', 1],
    ['requests in flight are shared', 0],
    ['The row holds the entry.', 1],
    ['/** What the caller gets. */', 1],
    ["const METHODS = ['GET', 'PURGE'];", 0],
    ['the entry is out of date', 0],
    ['a store that is out', 1],
  ])('%j: %i phrases', (text, number) => {
    expect(refusedIn(text)).toHaveLength(number);
  });
});

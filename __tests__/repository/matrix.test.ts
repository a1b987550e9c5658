import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { differencesFrom, pageWith, rowsOf } from '../../scripts/matrix/page.mjs';
import { COLUMNS, HEAD, README_ROWS, ROWS } from '../../scripts/matrix/rows.mjs';
import { NEXT, OLDEST, RUNTIMES, TOOLS, toolLabel } from '../../scripts/matrix/tools.mjs';

/** docs/compatibility.md has the rows of `npm run test:matrix`, as they were run. */

const written: ReadonlyMap<string, readonly string[]> = rowsOf(
  readFileSync('docs/compatibility.md', 'utf8').replaceAll('\r\n', '\n'),
);
const heads: readonly string[] = Object.values(HEAD);
const TRIED = /^\d{4}-\d{2}-\d{2}: \S/;

test('the page has a row for each form in each runtime, and for each package manager', () => {
  const names = [...ROWS, ...README_ROWS].map(({ name }) => name);
  expect([...written.keys()].filter((name) => !heads.includes(name))).toEqual(names);
});

test('each form is tried on the oldest and on another line of Node.js, or says why not', () => {
  const linesOf = (wanted: string) =>
    ROWS.filter(({ form }) => form.name === wanted).map(({ runtime }) => runtime.name);
  for (const { form } of ROWS) {
    expect(linesOf(form.name)).toContain('Node 24');
    expect(linesOf(form.name).includes(OLDEST)).toBe(form.needsNodeSqlite === undefined);
  }
});

test.each(ROWS.map(({ name, runtime }) => [name, runtime.name] as const))(
  '%s: every combination that is possible works, and the row has its date and versions',
  (name, runtime) => {
    const cells = COLUMNS.map(({ keyv }) => (runtime === OLDEST && keyv === '6' ? '-' : 'yes'));
    expect(written.get(name)).toEqual([...cells, expect.stringMatching(TRIED)]);
  },
);

test.each(README_ROWS.map(({ name }) => [name]))('README, %s: every version of Node.js works', (name) => {
  expect(written.get(name)).toEqual(['yes', 'yes', 'yes', expect.stringMatching(TRIED)]);
});

test('runtimes and tools have exact versions', () => {
  const versions = [...RUNTIMES.map(({ version }) => version), ...Object.values({ ...TOOLS, ...NEXT })];
  for (const version of versions) expect(version).toMatch(/^(npm:\w+@)?\d+\.\d+\.\d+$/);
  expect(toolLabel('jest29')).toMatch(/^jest 29\./);
  expect(toolLabel('next')).toBe(`next ${NEXT.next}`);
  expect(() => toolLabel('none')).toThrow('has no none');
});

describe('the page of a run', () => {
  const table = { head: ['runtime', 'Keyv 5', 'tried'], names: ['a', 'b', 'c'] };
  const other = { intro: 'Others:', head: ['README, by', 'Node 20', 'tried'], names: ['npm'] };
  const empty = 'before\n<!-- matrix: npm run test:matrix -- --write -->\n<!-- end of matrix -->\nafter\n';
  const first = pageWith(
    empty,
    [table, other],
    new Map([
      ['c', ['yes', '2026-01-01: c']],
      ['npm', ['yes', '2026-01-01: npm']],
    ]),
  );

  test('has the rows in the order of the script, between the text before and after', () => {
    expect(pageWith(first, [table, other], new Map([['a', ['no', '2026-01-02: a']]]))).toBe(`before
<!-- matrix: npm run test:matrix -- --write -->
| runtime | Keyv 5 | tried |
|---|---|---|
| a | no | 2026-01-02: a |
| c | yes | 2026-01-01: c |

Others:

| README, by | Node 20 | tried |
|---|---|---|
| npm | yes | 2026-01-01: npm |
<!-- end of matrix -->
after
`);
  });

  test('drops rows that were tried with other versions of axios or Keyv, and rows that the script has no more', () => {
    const newer = { ...table, head: ['runtime', 'Keyv 6', 'tried'] };
    const text = pageWith(first, [newer, { ...other, names: [] }], new Map([['b', ['yes', '2026-01-02: b']]]));
    expect([...rowsOf(text).keys()]).toEqual(['runtime', 'b', 'README, by']);
  });

  test('differs in answers and in missing rows, not in dates and versions', () => {
    const rows = new Map([
      ['a', ['yes', '2026-01-02: a']],
      ['c', ['yes', '2026-01-02: newer']],
      ['npm', ['no', '2026-01-01: npm']],
    ]);
    expect(differencesFrom(first, rows)).toEqual(['a', 'npm']);
  });
});

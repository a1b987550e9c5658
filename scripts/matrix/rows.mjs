import { FORMS } from './forms.mjs';
import { MANAGERS, NODES } from './readme.mjs';
import { OLDEST, RUNTIMES } from './tools.mjs';

// The rows of the loading matrix, for its run and for the test that compares docs/compatibility.md.

const BASIC = ['ESM', 'CommonJS', 'worker thread'];

/** A runtime, and a form that is tried in it. */
export const ROWS = RUNTIMES.flatMap((runtime) =>
  FORMS.filter(({ name }) => runtime.all || BASIC.includes(name))
    .filter(({ needsNodeSqlite }) => !needsNodeSqlite || runtime.name !== OLDEST)
    .map((form) => ({ name: `${runtime.name}, ${form.name}`, runtime, form })),
);

/** A package manager, with the name that selects it in the command line. */
export const README_ROWS = MANAGERS.map((manager) => ({
  name: manager.name,
  option: `README, ${manager.name}`,
  manager,
}));

/** The versions of axios and Keyv, each with the package to install. */
export const COLUMNS = ['1.7.9', 'latest'].flatMap((axios) =>
  ['5', '6'].map((keyv) => ({
    name: `axios ${axios}, Keyv ${keyv}`,
    packages: [`axios@${axios === 'latest' ? '1' : axios}`, `keyv@${keyv}`],
    keyv,
  })),
);

const TRIED = 'tried';
/** First cell of the head of each table. */
export const HEAD = { loading: 'runtime', readme: 'README, by' };

/**
 * The tables of the page.
 *
 * @param {readonly string[]} columns the columns of the first table, with versions
 * @returns {readonly import('./page.mjs').Table[]}
 */
export const tables = (columns) => [
  { head: [HEAD.loading, ...columns, TRIED], names: ROWS.map(({ name }) => name) },
  {
    intro:
      "The README's commands and program as printed, in an empty folder; with Node 20 first the warning, then the commands for SQLite:",
    head: [HEAD.readme, ...NODES, TRIED],
    names: README_ROWS.map(({ name }) => name),
  },
];

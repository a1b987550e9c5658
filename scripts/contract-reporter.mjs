// Prints the results of the contract of backends as a table at the end of a run of Jest.

import { Console } from 'node:console';
import { readFileSync } from 'node:fs';

/** How `describeBackend` titles a backend's tests. */
const TITLE = / as a store$/;

/**
 * The members of Jest's results that are read.
 *
 * @typedef {object} TestFile
 * @property {readonly { readonly ancestorTitles: readonly string[], readonly status: string }[]} testResults
 */

/**
 * The columns that are equal in all rows of a run.
 *
 * @typedef {object} Surroundings
 * @property {string} keyv the line of Keyv
 * @property {string} node
 */

/** @typedef {Surroundings & { passed: number, failed: number, skipped: number }} Row */

/**
 * A row for each backend, by its name. None where no test of the contract ran: others were asked for.
 *
 * @param {readonly TestFile[]} files
 * @param {Surroundings} surroundings
 * @returns {Record<string, Row>}
 */
export function contractRows(files, surroundings) {
  /** @type {Map<string, Row>} */
  const rows = new Map();
  for (const { ancestorTitles, status } of files.flatMap(({ testResults }) => testResults)) {
    const title = ancestorTitles.find((one) => TITLE.test(one));
    if (title === undefined) continue;
    const backend = title.replace(TITLE, '');
    const row = rows.get(backend) ?? { ...surroundings, passed: 0, failed: 0, skipped: 0 };
    row[status === 'passed' || status === 'failed' ? status : 'skipped'] += 1;
    rows.set(backend, row);
  }
  const ran = [...rows.values()].some(({ passed, failed }) => passed + failed > 0);
  return ran ? Object.fromEntries([...rows].sort(([a], [b]) => a.localeCompare(b))) : {};
}

export default class ContractReporter {
  /**
   * @param {unknown} _contexts
   * @param {{ readonly testResults: readonly TestFile[] }} results
   */
  onRunComplete(_contexts, { testResults }) {
    const rows = contractRows(testResults, { keyv: lineOfKeyv(), node: process.versions.node });
    if (Object.keys(rows).length === 0) return;
    // As Jest's own reporter: the other stream is for its --json.
    const output = new Console(process.stderr);
    output.log('\nThe contract of backends');
    output.table(rows);
  }
}

function lineOfKeyv() {
  const description = readFileSync(new URL('../node_modules/keyv/package.json', import.meta.url), 'utf8');
  return JSON.parse(description).version.split('.')[0];
}

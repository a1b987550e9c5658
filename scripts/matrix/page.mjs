// The tables of docs/compatibility.md between two comments, as text and as rows.

const START = '<!-- matrix: npm run test:matrix -- --write -->';
const END = '<!-- end of matrix -->';

/** @typedef {ReadonlyMap<string, readonly string[]>} Rows the cells after the name, by name */
/**
 * @typedef {object} Table
 * @property {string} [intro] a sentence before it
 * @property {readonly string[]} head
 * @property {readonly string[]} names of all its rows, in their order
 */

/** @param {string} text */
const bounds = (text) => ({ start: text.indexOf(START), end: text.indexOf(END) });

/** @param {readonly string[]} cells */
const line = (cells) => `| ${cells.join(' | ')} |`;

/**
 * Returns the rows of all tables, heads included.
 *
 * @param {string} text the page
 * @returns {Rows}
 */
export function rowsOf(text) {
  const { start, end } = bounds(text);
  const lines = text
    .slice(start, end)
    .split('\n')
    .filter((one) => one.startsWith('| '));
  return new Map(
    lines.map((one) => {
      const [name = '', ...cells] = one.slice(2, -2).split(' | ');
      return [name, cells];
    }),
  );
}

/**
 * Returns the page with these rows. Its other rows stay if the table's head is the same: they were tried with the same
 * versions.
 *
 * @param {string} text the page
 * @param {readonly Table[]} tables
 * @param {Rows} rows
 */
export function pageWith(text, tables, rows) {
  const written = rowsOf(text);
  const { start, end } = bounds(text);
  const lines = tables.flatMap(({ intro, head: [first = '', ...heads], names }) => {
    const isSame = written.get(first)?.join() === heads.join();
    const kept = names.flatMap((name) => {
      const cells = rows.get(name) ?? (isSame ? written.get(name) : undefined);
      return cells ? [line([name, ...cells])] : [];
    });
    const titles = [line([first, ...heads]), `|---|${heads.map(() => '---|').join('')}`];
    return [...(intro === undefined ? [] : ['', intro, '']), ...titles, ...kept];
  });
  return `${text.slice(0, start)}${START}\n${lines.join('\n')}\n${text.slice(end)}`;
}

/**
 * Returns the names of rows whose answers differ from those of the page. The last cell, date and versions, is not compared.
 *
 * @param {string} text the page
 * @param {Rows} rows
 */
export function differencesFrom(text, rows) {
  const written = rowsOf(text);
  return [...rows.keys()].filter(
    (name) => rows.get(name)?.slice(0, -1).join() !== written.get(name)?.slice(0, -1).join(),
  );
}

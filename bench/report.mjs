import { cpus, totalmem } from 'node:os';

/** A Markdown table of rows; numbers with three significant digits. */
export function markdownTable(rows) {
  if (rows.length === 0) return 'Not measured: a server that it needs is missing.\n';
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [columns, columns.map((name) => (name === 'contender' ? '---' : '---:'))];
  for (const row of rows) lines.push(columns.map((name) => cell(row[name])));
  return `${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}

function cell(value) {
  if (value === undefined) return '';
  if (typeof value !== 'number') return String(value);
  if (Number.isInteger(value)) return value.toLocaleString('en-US');
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
}

/** The circumstances of a run, in one sentence. */
export function circumstances(rounds) {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const date = new Date().toISOString().slice(0, 10);
  return `${date}, Node ${process.versions.node}, ${cpus().length} x ${cpu?.model.trim()}, ${memory} GiB, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}.`;
}

/**
 * A bar chart as SVG: rows by a column of ratios, the smallest first. Drawn by echarts, which `bench/peers` installs.
 *
 * @param {readonly Record<string, any>[]} rows
 * @param {{ column: string, title: string }} chart
 */
export async function barChart(rows, { column, title }) {
  const { drawBars } = await import('./peers/chart.mjs');
  const bars = rows.filter((row) => row[column] !== undefined).sort((a, b) => b[column] - a[column]);
  return drawBars({ title, names: bars.map(({ contender }) => contender), values: bars.map((row) => row[column]) });
}

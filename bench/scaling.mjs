// Figures for docs/scaling.md: processor time, bytes, connections. See bench/README.md.
// npm run bench:scaling                       all parts
// npm run bench:scaling -- capacity shards    some parts
// npm run bench:scaling -- --write            writes the tables of docs/scaling.md

import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { chooseParts } from './choose-parts.mjs';
import { circumstances, markdownTable } from './report.mjs';

const PARTS = ['capacity', 'shards', 'processes'];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** A factor for all numbers of requests and entries. */
    scale: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const [scale, rounds] = [Number(values.scale), Number(values.rounds)];
const results = {};
for (const name of chooseParts(PARTS, positionals)) {
  const part = await import(`./scaling/${name}.mjs`);
  const rows = await part.run({ scale, rounds });
  results[name] = rows;
  if (values.json) continue;
  console.log(`### ${part.title}\n\n${sectionOf(name, part, rows)}`);
  if (values.write) write(name, part, rows);
}
if (values.json) console.log(JSON.stringify(results, null, 2));

/** The section of a part in docs/scaling.md. Only `shards` has several rounds. */
function sectionOf(name, part, rows) {
  return `${part.note}\n\n${markdownTable(rows)}\n${circumstances(name === 'shards' ? rounds : 1)}\n`;
}

/** Replaces the part's section between its comments in docs/scaling.md. */
function write(name, part, rows) {
  const page = 'docs/scaling.md';
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->\n`];
  const [before, rest = ''] = readFileSync(page, 'utf8').split(begin);
  const after = rest.split(end)[1] ?? '';
  writeFileSync(page, `${before}${begin}${sectionOf(name, part, rows)}${end}${after}`);
}

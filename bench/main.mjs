// Measures this package and others: bench/README.md. `npm run bench` runs all parts, `npm run bench -- hits misses` some.

import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { redis } from '../scripts/services/redis.mjs';
import { chooseParts } from './choose-parts.mjs';
import { CONTENDERS } from './contenders.mjs';
import { barChart, circumstances, markdownTable } from './report.mjs';

const PARTS = ['hits', 'misses', 'at-once', 'sweeps', 'stampede', 'start', 'memory'];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '12' },
    /** Names of contenders, separated by semicolons. Default: all. */
    contenders: { type: 'string' },
    /** A factor for all numbers of requests and entries. */
    scale: { type: 'string', default: '1' },
    full: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    /** Writes the results into docs/performance.md and its picture. */
    write: { type: 'boolean', default: false },
  },
});
const names = chooseParts(PARTS, positionals);
const rounds = Number(values.rounds);
const chosen = values.contenders?.split(';').map((name) => name.trim());
const wrong = chosen?.find((name) => !(name in CONTENDERS));
if (wrong) {
  console.error(`${wrong}: no such contender; expected some of ${Object.keys(CONTENDERS).join('; ')}`);
  process.exit(1);
}
const contenders = Object.keys(CONTENDERS).filter((name) => name === 'floor' || (chosen?.includes(name) ?? true));
const server = redis.isInstalled() ? await redis.start() : undefined;
if (!server) console.error('Redis is not measured: redis-server is not installed.');

const results = {};
try {
  for (const name of names) {
    const part = await import(`./parts/${name}.mjs`);
    const options = {
      rounds,
      warmUp: 1_500 * Number(values.scale),
      contenders,
      scale: Number(values.scale),
      redisUrl: server?.url,
      isFull: values.full,
    };
    const rows = await part.run(options);
    results[name] = rows;
    if (values.json) continue;
    console.log(`### ${part.title}\n\n${part.note}\n\n${markdownTable(rows)}`);
    if (values.write) await write(name, part, rows);
  }
} finally {
  await server?.stop();
}
if (values.json) console.log(JSON.stringify(results, null, 2));
else console.log(circumstances(rounds));

/** Replaces the part's section between its comments in docs/performance.md. */
async function write(name, part, rows) {
  const page = 'docs/performance.md';
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->\n`];
  const [before, rest = ''] = readFileSync(page, 'utf8').split(begin);
  const after = rest.split(end)[1] ?? '';
  const text = `${part.note}\n\n${markdownTable(rows)}\n${circumstances(rounds)}\n`;
  writeFileSync(page, `${before}${begin}${text}${end}${after}`);
  if (part.chart) writeFileSync('docs/performance.svg', await barChart(rows, part.chart));
}

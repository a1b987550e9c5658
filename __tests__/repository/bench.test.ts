import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const run = promisify(execFile);

/** The benchmark with few requests: it works, and its results are complete. Times are not asserted. */
function bench(...parameters: string[]): Promise<Record<string, Record<string, unknown>[]>> {
  return measured('bench/main.mjs', ...parameters);
}

async function measured(file: string, ...parameters: string[]): Promise<Record<string, Record<string, unknown>[]>> {
  const { stdout } = await run(process.execPath, [file, '--json', '--rounds', '1', ...parameters]);
  return JSON.parse(stdout) as Record<string, Record<string, unknown>[]>;
}

test('npm run bench measures hits, misses, many at once, the start and memory', async () => {
  const contenders = ['memory', 'SQLite (@keyv/sqlite)', 'sqlite3, bare', 'axios-cache-interceptor'];
  const results = await bench('--scale', '0.01', '--contenders', contenders.join(';'), ...PARTS);
  expect(Object.keys(results)).toEqual(PARTS);
  expect(results.hits?.map(({ contender }) => contender).sort()).toEqual(['floor', ...contenders].sort());
  for (const rows of Object.values(results)) {
    expect(rows.length).toBeGreaterThan(0);
    for (const { contender, ...figures } of rows) {
      expect(typeof contender).toBe('string');
      expect(Object.values(figures).every(Number.isFinite)).toBe(true);
    }
  }
}, 120_000);

test('npm run bench measures sweeps and a stampede', async () => {
  const { sweeps = [], stampede = [] } = await bench('--scale', '0.002', 'sweeps', 'stampede');
  expect(sweeps.map(({ contender }) => contender)).toContain('sqlite');
  const withLease = stampede.find(({ contender }) => contender === 'with lease');
  expect(stampede.length === 0 || withLease?.['origin requests'] === 20).toBe(true);
}, 120_000);

test('npm run bench:scaling measures capacity, shards and processes', async () => {
  const results = await measured('bench/scaling.mjs', '--scale', '0.005');
  expect(Object.keys(results)).toEqual(['capacity', 'shards', 'processes']);
  const { capacity = [], shards = [], processes = [] } = results;
  expect(capacity.map(({ contender }) => contender)).toContain('SQLite');
  for (const row of capacity) expect(row['hit, client µs']).toBeGreaterThan(0);
  // Without Redis they have no rows.
  for (const row of shards) expect(String(row.rows).split(' / ').length).toBe(3);
  for (const row of processes) expect(row['with lease']).toBe(1);
}, 240_000);

test('unknown parts and contenders are refused', async () => {
  await expect(bench('hit')).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('hit: no such part') });
  await expect(bench('--contenders', 'memori')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('memori: no such contender'),
  });
});

const PARTS = ['hits', 'misses', 'at-once', 'start', 'memory'];

import { race } from '../race.mjs';
import { median, spread } from '../statistics.mjs';
import { WORKLOADS } from '../workloads.mjs';

export const title = 'Hits';
export const note =
  'A stored response, requested again and again. Contenders over axios have an adapter that resolves at once, so that a row contains axios and the cache alone; `floor` is axios without a cache over that adapter.';

/** @returns a row for each contender: microseconds, and the ratio to the floor, for each workload */
export async function run({ rounds, warmUp, scale, redisUrl, contenders }) {
  const rows = new Map();
  for (const [workload, { times }] of Object.entries(WORKLOADS)) {
    const operations = [{ operation: 'hits', times: Math.max(1, Math.round(times * scale)) }];
    const samples = await race({
      names: contenders,
      workload,
      operations,
      rounds,
      warmUp,
      isInstant: true,
      redisUrl,
    });
    const floor = median(samples.get('floor').hits);
    for (const [name, { hits }] of samples) {
      const row = rows.get(name) ?? { contender: name };
      row[`${workload}, µs`] = median(hits);
      row[`${workload}, x floor`] = median(hits) / floor;
      row['spread, %'] = Math.max(row['spread, %'] ?? 0, spread(hits) * 100);
      rows.set(name, row);
    }
  }
  return [...rows.values()];
}

/** The bars of the picture. */
export const chart = { column: '40 B, x floor', title: 'A hit of 40 bytes, relative to axios without a cache' };

import { CONTENDERS } from '../contenders.mjs';
import { race } from '../race.mjs';
import { median, spread } from '../statistics.mjs';
import { WORKLOADS } from '../workloads.mjs';

export const title = 'Misses';
export const note =
  'Responses that are not stored yet, from an origin on the loopback interface. `over` is the time above axios without a cache. A bare store writes the body and nothing else.';

export async function run({ rounds, warmUp, scale, redisUrl, contenders }) {
  const rows = new Map();
  for (const workload of ['40 B', '30 KB']) {
    const times = Math.max(1, Math.round((WORKLOADS[workload].times * scale) / 2));
    const operations = [{ operation: 'misses', times }];
    const samples = await race({ names: contenders, workload, operations, rounds, warmUp, redisUrl });
    const plain = median(samples.get('floor').misses);
    for (const [name, { misses }] of samples) {
      const row = rows.get(name) ?? { contender: name === 'floor' ? 'plain axios' : name };
      row[`${workload}, µs`] = median(misses);
      if (name !== 'floor' && CONTENDERS[name].isRemote !== true) row[`${workload}, over, µs`] = median(misses) - plain;
      row['spread, %'] = Math.max(row['spread, %'] ?? 0, spread(misses) * 100);
      rows.set(name, row);
    }
  }
  return [...rows.values()];
}

import { CONTENDERS } from '../contenders.mjs';
import { race } from '../race.mjs';
import { median } from '../statistics.mjs';

export const title = 'Many hits at once';
export const note =
  'Different stored responses of 40 bytes: the time of each if 100 or 1,000 are requested at once, relative to one after another.';

const SIZES = [100, 1_000];

export async function run({ rounds, warmUp, scale, redisUrl, contenders }) {
  const names = contenders.filter((name) => CONTENDERS[name].group !== 'peer');
  const rows = new Map();
  for (const size of SIZES) {
    const times = Math.max(2, Math.round(size * scale));
    const operations = [
      { operation: 'atOnce', times },
      { operation: 'manyInTurn', times },
    ];
    const samples = await race({ names, workload: '40 B', operations, rounds, warmUp, isInstant: true, redisUrl });
    for (const [name, { atOnce, manyInTurn }] of samples) {
      const row = rows.get(name) ?? { contender: name };
      row[`${size}, µs each`] = median(atOnce);
      row[`${size}, x one by one`] = median(atOnce) / median(manyInTurn);
      rows.set(name, row);
    }
  }
  return [...rows.values()];
}

import { setImmediate as turn } from 'node:timers/promises';

const [SHORT, LONG] = [20_000, 200_000];
/** Quadratic time grows a hundredfold. */
const MOST_GROWTH = 30;
const ATTEMPTS = 5;
/** Milliseconds. Less is noise; quadratic work of the short length takes far more. */
const LEAST_TIME = 1;

/**
 * Rejects if the time of some work grows faster than the length of its input. The machine may be busy with something
 * else: the shortest time of several attempts counts.
 */
export async function expectLinear(work: (length: number) => unknown): Promise<void> {
  let [short, long] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  work(SHORT);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    await turn();
    short = Math.min(short, timeOf(work, SHORT));
    long = Math.min(long, timeOf(work, LONG));
    if (long < MOST_GROWTH * Math.max(short, LEAST_TIME)) return;
  }
  throw new Error(`ten times the length takes ${(long / short).toFixed(0)} times as long`);
}

function timeOf(work: (length: number) => unknown, length: number): number {
  const begin = performance.now();
  work(length);
  return performance.now() - begin;
}

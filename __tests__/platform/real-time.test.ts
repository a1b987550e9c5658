import { createRequire } from 'node:module';
import { expect, jest, test } from '@jest/globals';

type RealTime = typeof import('../../lib/platform/real-time.js');
type Timers = Record<string, unknown>;

/** Replaces functions as sinon's fake clock does: in the module and in the global object. Returns the reverse. */
function fake(names: readonly string[]): () => void {
  const places = [createRequire(import.meta.url)('node:timers') as Timers, globalThis as unknown as Timers];
  const real = places.map((place) => names.map((name) => place[name]));
  const clock = Object.fromEntries(names.map((name) => [`_${name}`, places[1]?.[name]]));
  for (const place of places)
    for (const name of names)
      place[name] = Object.defineProperty(
        Object.assign(() => ({}), { clock }),
        'name',
        { value: name },
      );
  return () => {
    for (const [at, place] of places.entries())
      for (const [index, name] of names.entries()) place[name] = real[at]?.[index];
  };
}

test.each<[string, readonly string[]]>([
  ['nothing', []],
  ['setTimeout', ['setTimeout']],
  ['clearTimeout', ['clearTimeout']],
  ['both', ['setTimeout', 'clearTimeout']],
])('timers are real and can be stopped, if a fake clock replaced %s before loading', async (_, names) => {
  const restore = fake(names);
  try {
    jest.resetModules();
    const { pause, startTimer, stopTimer, withinTime }: RealTime = await import('../../lib/platform/real-time.js');
    const called: string[] = [];
    startTimer(1, () => void called.push('started'));
    stopTimer(startTimer(1, () => void called.push('stopped')));
    // Longer than a timer can be.
    const long = startTimer(2 ** 31, () => void called.push('long'));
    await pause(20, { keepsProcess: true });
    expect(called).toEqual(['started']);
    stopTimer(long);
    expect(await withinTime(Promise.resolve('done'), 50, () => new Error('late'))).toBe('done');
    await expect(withinTime(new Promise(() => {}), 5, () => new Error('late'))).rejects.toThrow('late');
  } finally {
    restore();
  }
});

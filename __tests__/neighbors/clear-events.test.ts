import { expect, test } from '@jest/globals';
import { startBench, temporaryFolder } from '../support/api.js';
import { describeStores } from '../support/stores.js';

describeStores((optionsIn) => {
  test('clear() reports as many removed responses as the store can count', async () => {
    await using folder = await temporaryFolder();
    const options = optionsIn(folder.path);
    await using bench = await startBench(options);
    for (const path of ['/a', '/b', '/c']) await bench.api.get(path);
    const counts = typeof options.backend === 'string' && options.backend !== 'filesystem';
    await bench.api.cache.clear();
    expect(await bench.api.cache.responseCount()).toBe(0);
    const removed = bench.events.filter(({ type }) => type === 'removed').map(({ count }) => count);
    expect([removed, bench.api.cache.stats().removed]).toEqual(counts ? [[3], 3] : [[], 0]);
  });
});

import { expect, test } from '@jest/globals';
import { startBench } from '../support/api.js';

const MEGABYTE = 1024 * 1024;

test.each(['http', 'fetch'] as const)(
  'a stream of 1 GB passes through uncached, in bounded memory (%s)',
  async (adapter) => {
    const chunk = Buffer.alloc(MEGABYTE, 'x');
    await using bench = await startBench({ maxBodySize: 10 * MEGABYTE }, async (_, response) => {
      for (let index = 0; index < 1024; index += 1) {
        if (!response.write(chunk)) await new Promise((resolve) => response.once('drain', resolve));
      }
      response.end();
    });
    global.gc?.();
    const before = process.memoryUsage().rss;
    let [bytes, peak] = [0, 0];
    const { data } = await bench.api.get('/', { responseType: 'stream', adapter });
    for await (const part of data as AsyncIterable<Uint8Array>) {
      bytes += part.byteLength;
      peak = Math.max(peak, process.memoryUsage().rss - before);
    }
    console.log(`${adapter}: ${Math.round(peak / MEGABYTE)} MB more at most`);
    expect(bytes).toBe(1024 * MEGABYTE);
    expect(peak).toBeLessThan(300 * MEGABYTE);
    expect(await bench.api.cache.responseCount()).toBe(0);
  },
);

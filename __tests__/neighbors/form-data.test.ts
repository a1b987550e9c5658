import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import NodeFormData from 'form-data';
import { startBench } from '../support/api.js';

const POST = { allowableMethods: ['GET', 'POST'] } as const;

test('the FormData of the platform is part of the key, by its entries', async () => {
  await using bench = await startBench(POST);
  const form = (value: string) => {
    const data = new FormData();
    data.append('name', value);
    data.append('file', new Blob(['bytes'], { type: 'text/plain' }), 'file.txt');
    return data;
  };
  const seen = [];
  for (const value of ['a', 'a', 'b']) seen.push((await bench.api.post('/', form(value))).fromCache);
  expect(seen).toEqual([false, true, false]);
  expect(bench.origin.asked[0]?.body).toContain('filename="file.txt"');
});

test('that of form-data is a stream: it is sent as it is, and its answer is not cached', async () => {
  await using bench = await startBench(POST);
  const form = () => {
    const data = new NodeFormData();
    data.append('name', 'a');
    data.append('file', Readable.from(['bytes']), { filename: 'file.txt' });
    return data;
  };
  for (const _ of [1, 2]) {
    const { fromCache, cacheStatus } = await bench.api.post('/', form());
    expect([fromCache, cacheStatus]).toEqual([false, expect.stringContaining('stream-body')]);
  }
  expect(bench.origin.asked.map(({ body }) => body.includes('bytes'))).toEqual([true, true]);
});

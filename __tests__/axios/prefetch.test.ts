import { describe, expect, test } from '@jest/globals';
import type { AxiosRequestConfig } from 'axios';
import type { PrefetchProgress } from '../../lib/axios/prefetch.js';
import { startBench } from '../support/api.js';
import { until } from '../support/faults.js';
import { sendJson } from '../support/origin.js';

const paths = (count: number) => Array.from({ length: count }, (_, index) => `/${index}`);

describe('prefetch', () => {
  test('sends the requests that are not stored, and counts', async () => {
    await using bench = await startBench({}, ({ url }, response) => {
      if (url === '/broken') response.destroy();
      else sendJson(response, { url });
    });
    await bench.api.get('/1');
    const progress: PrefetchProgress[] = [];
    const result = await bench.api.prefetch(['/1', { url: '/2' }, '/broken', { url: '/3', method: 'head' }], {
      concurrency: 1,
      onProgress: (event) => void progress.push(event),
    });
    expect(result).toEqual({ done: 4, stored: 1, fetched: 2, failed: 1 });
    expect(progress.map(({ done, request, error }) => [done, request, error instanceof Error])).toEqual([
      [1, '/1', false],
      [2, { url: '/2' }, false],
      [3, '/broken', true],
      [4, { url: '/3', method: 'head' }, false],
    ]);
    expect((await bench.api.get('/2')).fromCache).toBe(true);
  });

  test.each([
    [undefined, 4],
    [2, 2],
    [100, 10],
  ])('with concurrency %p at most %i requests are in flight', async (concurrency, expected) => {
    const answers: (() => void)[] = [];
    await using bench = await startBench({}, ({ url }, response) => {
      if (url === '/probe') sendJson(response, {});
      else answers.push(() => sendJson(response, { url }));
    });
    const result = bench.api.prefetch(paths(10), { concurrency });
    for (let answered = 0; answered < 10; answered += 1) {
      const sent = Math.min(10, answered + expected);
      await until('as many requests as allowed are in flight', () => answers.length >= sent);
      // Another request, if it was sent, arrives before this one.
      await fetch(`${bench.origin.url}/probe`);
      expect(answers).toHaveLength(sent);
      answers[answered]?.();
    }
    expect(await result).toMatchObject({ done: 10, fetched: 10 });
  });

  test('reads an async iterable only as far as it sends', async () => {
    await using bench = await startBench({}, ({ url }, response) => sendJson(response, { url }));
    let read = 0;
    let isClosed = false;
    async function* endless(): AsyncGenerator<string | AxiosRequestConfig> {
      try {
        for (;;) {
          read += 1;
          yield `/${read}`;
        }
      } finally {
        isClosed = true;
      }
    }
    const stop = ({ done }: PrefetchProgress) => {
      if (done === 5) throw new Error('enough');
    };
    await expect(bench.api.prefetch(endless(), { concurrency: 2, onProgress: stop })).rejects.toThrow('enough');
    expect([read <= 8, isClosed]).toEqual([true, true]);
  });

  test('members that are no requests fail, and nothing is sent for them', async () => {
    await using bench = await startBench();
    const result = await bench.api.prefetch([undefined, null, 5, '/1'] as never);
    expect(result).toEqual({ done: 4, stored: 0, fetched: 1, failed: 3 });
    expect(bench.origin.asked.map(({ url }) => url)).toEqual(['/1']);
  });

  test('an iterable that throws rejects, and leaves nothing running', async () => {
    await using bench = await startBench({}, ({ url }, response) => sendJson(response, { url }));
    function* broken(): Generator<string> {
      yield '/1';
      throw new Error('mine');
    }
    await expect(bench.api.prefetch(broken())).rejects.toThrow('mine');
    expect((await bench.api.get('/1')).fromCache).toBe(true);
  });

  test.each([
    ['/a', {}, /^requests: "\/a"/],
    [undefined, {}, /^requests: undefined/],
    [{}, {}, /^requests: /],
    [[], { concurrency: 0 }, /^concurrency: 0/],
    [[], { concurrency: 1.5 }, /^concurrency: 1\.5/],
    [[], { onProgress: 1 }, /^onProgress: 1/],
    [[], { onprogress: 1 }, /^prefetch.onprogress: 1 .* did you mean onProgress\?$/],
    [[], null, /^options: null/],
  ])('refuses %j with %j', async (requests, options, message) => {
    await using bench = await startBench();
    await expect(bench.api.prefetch(requests as never, options as never)).rejects.toThrow(message);
  });
});

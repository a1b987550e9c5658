import { expect, test } from '@jest/globals';
import type { CacheOptions } from '../../lib/settings/types.js';
import { redis } from '../../scripts/services/redis.mjs';
import type { Server } from '../../scripts/services/server.mjs';
import { type Bench, startBench } from '../support/api.js';
import { until } from '../support/faults.js';
import { type Handler, sendJson } from '../support/origin.js';
import { describeService } from '../support/services.js';

/** A Redis that is stopped by SIGSTOP: its connections stay open, and it answers nothing until SIGCONT. */

/** Far more than a working server needs, far less than Jest's timeout. */
const backendTimeout = 0.5;

const versions = (): { handler: Handler; change(): void } => {
  let version = 1;
  return {
    handler: ({ url }, response) => sendJson(response, { url, version }, { etag: `"${version}"` }),
    change: () => {
      version += 1;
    },
  };
};

describeService(redis, (server) => {
  async function withFrozen(
    cacheName: string,
    own: CacheOptions,
    work: (bench: Bench, frozen: Pick<Server, 'freeze' | 'resume'>, change: () => void) => Promise<void>,
    handled?: Handler,
  ): Promise<void> {
    const { handler, change } = versions();
    const backendOptions = { url: server().url, backendTimeout, ...own.backendOptions };
    await using bench = await startBench(
      { backend: 'redis', cacheName, ...own, backendOptions } as CacheOptions,
      handled ?? handler,
    );
    await bench.api.cache.ready();
    await bench.api.cache.clear();
    try {
      await work(bench, server(), change);
    } finally {
      server().resume();
    }
  }

  const isBack = ({ events }: Bench) => events.some(({ type }) => type === 'recovered');

  test('requests are answered from the origin while it is frozen, and hits return after it', async () => {
    await withFrozen('frozen_reads', {}, async (bench, frozen) => {
      const { api, origin, events } = bench;
      await api.get('/a');
      expect((await api.get('/a')).fromCache).toBe(true);
      frozen.freeze();
      const asked = origin.asked.length;
      const answers = await Promise.all(['/a', '/b', '/c'].map((url) => api.get(url)));
      expect(answers.map(({ data }) => data.url)).toEqual(['/a', '/b', '/c']);
      expect(origin.asked.length - asked).toBe(3);
      // Once the outage is known, no request waits for the server.
      for (let time = 0; time < 20; time += 1) {
        expect((await api.get(`/${time}`)).cacheStatus).toContain('detail=store-down');
      }
      expect(events.filter(({ type }) => type === 'error').map(({ reason }) => reason)).toEqual(['store-timeout']);
      frozen.resume();
      await until('the outage is over', () => isBack(bench));
      expect((await api.get('/a')).fromCache).toBe(true);
      await api.get('/new');
      expect((await api.get('/new')).fromCache).toBe(true);
    });
  });

  test.each<[string, (bench: Bench) => Promise<unknown>]>([
    ['invalidates', ({ api }) => api.post('/other', {}, { invalidates: ['/a', '/b'] })],
    ['an unsafe request', ({ api }) => Promise.all([api.put('/a', {}), api.put('/b', {})])],
    ['a tag', ({ api }) => api.post('/other', {}, { invalidates: { tags: ['news'] } })],
  ])('%s while it is frozen is carried out after it, and respected meanwhile', async (name, invalidate) => {
    const options = { tags: ['news'], cacheControl: name === 'an unsafe request', expireAfter: 3_600 };
    await withFrozen(`frozen_${name.replaceAll(' ', '_')}`, options, async (bench, frozen, change) => {
      const { api } = bench;
      await api.get('/b');
      await api.get('/a');
      expect((await api.get('/a')).fromCache).toBe(true);
      frozen.freeze();
      // From now on nothing is sent to the server.
      expect((await api.get('/x')).cacheStatus).toContain('detail=store-down');
      change();
      await invalidate(bench);
      expect((await api.get('/a')).data.version).toBe(2);
      frozen.resume();
      await until('the outage is over', () => isBack(bench));
      for (let time = 0; time < 3; time += 1) expect((await api.get('/a')).data.version).toBe(2);
      // Another process sees the old response until the invalidation has reached the server, and not after that.
      const other = bench.more({
        ...options,
        backend: 'redis',
        cacheName: `frozen_${name.replaceAll(' ', '_')}`,
        backendOptions: { url: server().url },
      } as CacheOptions);
      await until('the invalidation is carried out', async () => (await other.get('/a')).data.version === 2);
      // Nothing but the invalidation removes this one: this process has not asked for it again.
      await until('it is carried out for both', async () => (await other.get('/b')).data.version === 2);
    });
  });

  test('a write that it delays is done after it, unless the response was invalidated meanwhile', async () => {
    const releases: (() => void)[] = [];
    const gated: Handler = async ({ url }, response, count) => {
      if (count <= 2) await new Promise<void>((resolve) => releases.push(resolve));
      sendJson(response, { url, version: count <= 2 ? 1 : 2 });
    };
    const begin = async (bench: Bench, frozen: Pick<Server, 'freeze'>) => {
      const pending = Promise.all([bench.api.get('/kept'), bench.api.get('/changed')]);
      await until('the origin is asked', () => releases.length === 2);
      frozen.freeze();
      for (const release of releases) release();
      for (const { cacheStatus } of await pending) expect(cacheStatus).toContain('detail=store-timeout');
    };
    await withFrozen(
      'frozen_writes',
      {},
      async (bench, frozen) => {
        const { api } = bench;
        await begin(bench, frozen);
        await api.post('/other', {}, { invalidates: ['/changed'] });
        frozen.resume();
        await until('the outage is over', () => isBack(bench));
        expect((await api.get('/changed')).data.version).toBe(2);
        expect(await api.get('/kept')).toMatchObject({ fromCache: true, data: { version: 1 } });
      },
      gated,
    );
  });

  test('with strict requests reject while it is frozen; ready() ends the outage after it', async () => {
    await withFrozen('frozen_strict', { backendOptions: { strict: true } as never }, async ({ api }, frozen) => {
      await api.get('/a');
      frozen.freeze();
      await expect(api.get('/a')).rejects.toMatchObject({ code: 'ERR_CACHE_STORE_TIMEOUT' });
      await expect(api.get('/a')).rejects.toMatchObject({ code: 'ERR_CACHE_STORE_DOWN' });
      frozen.resume();
      await api.cache.ready();
      expect((await api.get('/a')).fromCache).toBe(true);
    });
  });

  test('a listing that is frozen in the middle continues after it', async () => {
    await withFrozen('frozen_listing', {}, async ({ api }, frozen) => {
      for (let number = 0; number < 30; number += 1) await api.get(`/${number}`);
      const urls = new Set<string>();
      let isFrozen = false;
      for await (const url of api.cache.urls()) {
        urls.add(url);
        if (isFrozen) continue;
        isFrozen = true;
        frozen.freeze();
        setTimeout(() => frozen.resume(), 50);
      }
      expect(urls.size).toBe(30);
    });
  });
});

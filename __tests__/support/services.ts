import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import type { Server, Service } from '../../scripts/services/server.mjs';
import { startBench } from './api.js';

/**
 * Tests over a real server, started before them and stopped after. Where it is not installed they are skipped, by a name
 * that says how to have it.
 */
export function describeService(service: Service, tests: (server: () => Server) => void): void {
  const { name, how } = service;
  const describeHere = service.isInstalled() ? describe : describe.skip;
  describeHere(service.isInstalled() ? name : `${name}, left out because it is not installed (${how})`, () => {
    let server: Server | undefined;

    beforeAll(async () => {
      server = await service.start();
    });

    afterAll(async () => {
      await server?.stop();
    });

    tests(() => {
      if (!server) throw new Error(`${name} is not running`);
      return server;
    });
  });
}

/** Kills and freezes a server under a cache: requests go on, and the cache works again afterwards. */
export async function expectToSurvive(
  service: Service,
  optionsFor: (server: Server) => { readonly backend: string; readonly backendOptions: object },
): Promise<void> {
  const server = await service.start();
  const { backend, backendOptions } = optionsFor(server);
  await using bench = await startBench({
    backend,
    cacheName: 'faults',
    backendOptions: { ...backendOptions, backendTimeout: 0.2 },
  } as object);
  const works = async () => {
    await bench.api.get('/works');
    return (await bench.api.get('/works')).fromCache;
  };
  const until = async (condition: () => Promise<boolean | undefined>) => {
    while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const down = async (urls: readonly string[]) => {
    for (const url of urls) expect((await bench.api.get(url)).status).toBe(200);
  };
  try {
    await until(works);
    await server.kill();
    await down(['/1', '/2', '/3']);
    await server.start();
    await until(works);
    server.freeze();
    await down(['/4', '/5', '/6']);
    server.resume();
    await until(works);
    const told = (type: string) => bench.events.filter((event) => event.type === type).length;
    expect({ error: told('error'), recovered: told('recovered') }).toEqual({ error: 2, recovered: 2 });
  } finally {
    server.resume();
    await bench.api.detachCache();
    await server.stop();
  }
}

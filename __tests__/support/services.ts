import { afterAll, beforeAll, describe } from '@jest/globals';
import type { Server, Service } from '../../scripts/services/server.mjs';

/**
 * Tests over a real server, started before them and stopped after. Where it is not installed they are skipped, by a name
 * that says how to have it; CI has them all, and fails where a test was skipped.
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

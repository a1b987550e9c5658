import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Server } from '../../scripts/services/server.mjs';
import type { Actions } from './caller.js';
import { type Program, program } from './child.js';
import { sendJson, startOrigin } from './origin.js';
import { startProxy, type TestProxy } from './proxy.js';

interface Fault {
  readonly name: string;
  /** Begun before there is a cache. */
  readonly atStart?: true;
  begin(server: Server, proxy: TestProxy): Promise<void>;
  end(server: Server, proxy: TestProxy): Promise<void>;
}

const gone = {
  async begin(server: Server, proxy: TestProxy) {
    await server.kill();
    await proxy.refuse();
  },
  async end(server: Server, proxy: TestProxy) {
    await server.start();
    await proxy.listen();
  },
};

export const KILLED: Fault = { name: 'killed', ...gone };
const FROZEN: Fault = {
  name: 'frozen',
  begin: async (server) => server.freeze(),
  end: async (server) => server.resume(),
};
/** The faults of a server while its cache serves requests. */
const FAULTS: readonly Fault[] = [
  { name: 'down at start', atStart: true, ...gone },
  { name: 'killed and restarted', ...gone },
  FROZEN,
  {
    name: 'slower than the budget',
    async begin(_, proxy) {
      proxy.delay = 300;
    },
    async end(_, proxy) {
      proxy.delay = 0;
    },
  },
];

/** A process of {@link Actions}. */
class Caller implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(file: string, ...args: readonly string[]): Promise<Caller> {
    const child = fork(file, args, { execArgv: ['--no-warnings'] });
    await answerOf(child);
    return new Caller(child);
  }

  async command<Name extends keyof Actions>(
    name: Name,
    argument?: number,
  ): Promise<Awaited<ReturnType<Actions[Name]>>> {
    this.#child.send({ name, argument });
    return (await answerOf(this.#child)) as Awaited<ReturnType<Actions[Name]>>;
  }

  /** Its exit code, once it has ended by itself. */
  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
  }
}

function answerOf(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`the caller ended with ${code}`));
    child.once('exit', ended).once('message', ({ result }: { result: unknown }) => {
      child.off('exit', ended);
      resolve(result);
    });
  });
}

/** Fails before Jest's timeout, so that started processes are ended. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const started = Date.now(); !(await condition()); await pause(20)) {
    if (Date.now() - started > 30_000) throw new Error(`waited in vain until ${what}`);
  }
}

/**
 * Every fault of a server, under a cache with requests in flight: they all succeed, the store is left alone while it is
 * out, the cache works again afterwards, and nothing is left behind.
 *
 * @param backend by its name in caller.ts
 * @param exits faults in spite of which a process that is done exits by itself
 */
export function testFaults(backend: string, server: () => Server, exits: readonly Fault[] = [KILLED, FROZEN]): void {
  describe('faults', () => {
    let caller: Program;

    beforeAll(() => {
      caller = program("import { serve } from './__tests__/support/caller.js'; await serve();");
    });

    afterAll(async () => {
      await caller[Symbol.asyncDispose]();
    });

    test.each(FAULTS)(
      '$name',
      async ({ name, atStart = false, begin, end }): Promise<void> => {
        await using origin = await startOrigin(({ url }, response) => sendJson(response, { url }));
        await using proxy = await startProxy(server().url);
        const cacheName = `faults_${name.replaceAll(' ', '_')}`;
        const start = () => Caller.start(caller.file, backend, cacheName, proxy.url, origin.url);
        let connections = Number.POSITIVE_INFINITY;
        let faulty = false;
        const inflict = async () => {
          faulty = true;
          await begin(server(), proxy);
        };
        const relieve = async () => {
          if (faulty) await end(server(), proxy);
          faulty = false;
        };
        try {
          if (atStart) await inflict();
          await using one = await start();
          const outages = async () => (await one.command('state')).reported.filter((type) => type === 'error').length;
          const isBack = async () =>
            (await one.command('works')) && (await one.command('state')).reported.at(-1) !== 'error';
          if (!atStart) await until('the cache works', isBack);
          await one.command('load');
          let before = 0;
          if (!atStart) {
            const { asked } = await one.command('state');
            await until('requests are in flight', async () => (await one.command('state')).asked > asked + 100);
            // Counted at a moment without an outage: one that had just begun would go on, and no other show.
            await until('the cache works', async () => {
              if (!(await one.command('works'))) return false;
              const { reported } = await one.command('state');
              before = reported.filter((type) => type === 'error').length;
              return reported.at(-1) !== 'error';
            });
            connections = proxy.connections();
            await inflict();
          }
          await until('the outage shows', async () => (await outages()) > before);
          expect([await one.command('callsFor', 50), await outages()]).toEqual([0, before + 1]);
          await relieve();
          await until('the cache works again', isBack);
          await one.command('unload');
          await until('what was too much for it has passed', isBack);
          await until('connections are as few as before', () => proxy.connections() <= connections);
          await one.command('detach');
          await until('no connection is left', () => proxy.connections() === 0);
          const { reported, escaped } = await one.command('end');
          expect({ reported: reported.join(), escaped }).toEqual({
            reported: expect.stringMatching(/^(error,recovered,?)+$/),
            escaped: [],
          });
          expect(await one.ended()).toBe(0);
        } finally {
          await relieve();
        }
      },
      60_000,
    );

    test.each(exits)(
      '$name: a process that is done exits by itself',
      async ({ begin, end }) => {
        await using origin = await startOrigin(({ url }, response) => sendJson(response, { url }));
        await using proxy = await startProxy(server().url);
        await using one = await Caller.start(caller.file, backend, 'faults_exit', proxy.url, origin.url);
        await until('the cache works', () => one.command('works'));
        try {
          await begin(server(), proxy);
          expect(await one.command('works')).toBe(false);
          await one.command('end');
          expect(await one.ended()).toBe(0);
        } finally {
          await end(server(), proxy);
        }
      },
      60_000,
    );
  });
}

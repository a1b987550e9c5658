import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from './programs.mjs';
import { freePort, installDebian, startServer } from './server.mjs';

const run = promisify(execFile);

const INSTALLATION = {
  how: 'apt-get install redis-server, or brew install redis',
  isInstalled: () => findProgram('redis-server') !== undefined,
  install: () => installDebian('redis-server'),
};

const server = () => findProgram('redis-server') ?? 'redis-server';

/** The name of the master that {@link redisSentinel} watches. */
export const MASTER = 'main';

/** @type {import('./server.mjs').Service} */
export const redis = { ...INSTALLATION, name: 'redis', start: () => startRedis() };

/**
 * Three masters and no replicas; `url` is one of them. They are killed, frozen and resumed together.
 *
 * @type {import('./server.mjs').Service}
 */
export const redisCluster = {
  ...INSTALLATION,
  name: 'redis cluster',
  async start() {
    const nodes = [];
    try {
      for (let number = 0; number < 3; number += 1) nodes.push(await startNode());
      await join(nodes);
    } catch (error) {
      await Promise.all(nodes.map((node) => node.stop()));
      throw error;
    }
    return together(nodes, /** @type {import('./server.mjs').Server} */ (nodes[0]).url);
  },
};

/**
 * Starts a cluster of three masters with a replica each, whose masters and replicas can be stopped one by one. It answers
 * for the slots that it has while others have no master.
 */
export async function startClusterWithReplicas() {
  /** @type {Awaited<ReturnType<typeof startNode>>[]} */
  const masters = [];
  /** @type {Awaited<ReturnType<typeof startNode>>[]} */
  const replicas = [];
  const stop = async () => {
    await Promise.all([...masters, ...replicas].map((node) => node.stop()));
  };
  try {
    const more = { 'cluster-require-full-coverage': 'no' };
    for (let number = 0; number < 3; number += 1) masters.push(await startNode(more));
    await join(masters);
    for (const master of masters) {
      const replica = await startNode(more);
      replicas.push(replica);
      const { hostname, port } = new URL(master.url);
      await ask(replica.url, 'cluster', 'meet', hostname, port, String(master.bus));
      const id = (await ask(master.url, 'cluster', 'myid')).trim();
      await until(async () => (await ask(replica.url, 'cluster', 'replicate', id)).includes('OK'));
    }
    for (const { url } of [...masters, ...replicas]) {
      await until(async () => {
        const nodes = await ask(url, 'cluster', 'nodes');
        return (nodes.match(/slave /g) ?? []).length === 3 && !nodes.includes('handshake');
      });
    }
    for (const { url } of replicas) {
      await until(async () => (await ask(url, 'info', 'replication')).includes('master_link_status:up'));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  /** Waits until the replicas have all writes. */
  const replicated = async () => {
    for (const { url } of masters) {
      await until(async () => {
        const info = await ask(url, 'info', 'replication');
        const offset = /master_repl_offset:(\d+)/.exec(info)?.[1];
        return info.includes(`offset=${offset},`);
      });
    }
  };
  return { url: masters[0]?.url ?? '', masters, replicas, replicated, stop };
}

/**
 * A sentinel, whose port is that of `url`, over a master and a replica. The server that is killed, frozen and resumed
 * is the first master.
 *
 * @type {import('./server.mjs').Service}
 */
export const redisSentinel = {
  ...INSTALLATION,
  name: 'redis sentinel',
  async start() {
    const running = [];
    try {
      const master = await startRedis();
      running.push(master);
      const { hostname, port } = new URL(master.url);
      running.push(await startRedis({ replicaof: `${hostname} ${port}` }));
      const sentinel = await startSentinel(hostname, port);
      running.push(sentinel);
      await until(async () => (await ask(sentinel.url, 'sentinel', 'replicas', MASTER)).includes('slave'));
      return { ...together(running, sentinel.url), ...pick(master) };
    } catch (error) {
      await Promise.all(running.map((server) => server.stop()));
      throw error;
    }
  },
};

/**
 * A Redis of its own, with further options.
 *
 * @param {Readonly<Record<string, string>>} [more]
 */
export function startRedis(more = {}) {
  return startServer({
    url: (port) => `redis://127.0.0.1:${port}`,
    command: ({ port, folder }) => [server(), ...flags({ port: String(port), ...isolated(folder), ...more })],
  });
}

/**
 * A Redis that speaks TLS alone.
 *
 * @param {{ readonly cert: string, readonly key: string }} files
 */
export function startRedisWithTls({ cert, key }) {
  const tls = { 'tls-cert-file': cert, 'tls-key-file': key, 'tls-ca-cert-file': cert, 'tls-auth-clients': 'no' };
  return startServer({
    url: (port) => `rediss://127.0.0.1:${port}`,
    command: ({ port, folder }) => [
      server(),
      ...flags({ port: '0', 'tls-port': String(port), ...isolated(folder), ...tls }),
    ],
  });
}

/** @param {string} folder */
function isolated(folder) {
  return { bind: '127.0.0.1', dir: folder, save: '', appendonly: 'no' };
}

/** @param {Readonly<Record<string, string>>} options */
function flags(options) {
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, ...value.split(' ')]);
}

/**
 * @param {Readonly<Record<string, string>>} [more]
 * @param {number} [attempts] another process may take a free port before the node does
 * @returns {Promise<import('./server.mjs').Server & { bus: number }>}
 */
async function startNode(more = {}, attempts = 3) {
  const bus = await freePort();
  const options = {
    'cluster-enabled': 'yes',
    'cluster-port': String(bus),
    'cluster-node-timeout': '1000',
    'cluster-config-file': 'nodes.conf',
  };
  try {
    return { ...(await startRedis({ ...more, ...options })), bus };
  } catch (error) {
    if (attempts === 1) throw error;
    return startNode(more, attempts - 1);
  }
}

/**
 * Spreads the slots, and waits until every node knows of all.
 *
 * @param {readonly { readonly url: string, readonly bus: number }[]} nodes
 */
async function join(nodes) {
  const slots = 16_384;
  const share = Math.ceil(slots / nodes.length);
  for (const [index, { url, bus }] of nodes.entries()) {
    const last = Math.min((index + 1) * share, slots) - 1;
    await ask(url, 'cluster', 'addslotsrange', String(index * share), String(last));
    const { hostname, port } = new URL(url);
    if (index > 0) await ask(nodes[0]?.url ?? '', 'cluster', 'meet', hostname, port, String(bus));
  }
  for (const { url } of nodes) {
    await until(async () => {
      const info = await ask(url, 'cluster', 'info');
      return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${nodes.length}`);
    });
  }
}

/**
 * @param {string} hostname
 * @param {string} port
 */
function startSentinel(hostname, port) {
  return startServer({
    url: (own) => `redis://127.0.0.1:${own}`,
    // A sentinel writes its state to its configuration file.
    prepare: async (folder) =>
      writeFileSync(
        path.join(folder, 'sentinel.conf'),
        [
          `sentinel monitor ${MASTER} ${hostname} ${port} 1`,
          `sentinel down-after-milliseconds ${MASTER} 300`,
          `sentinel failover-timeout ${MASTER} 2000`,
          '',
        ].join('\n'),
      ),
    command: ({ port: own, folder }) => [
      server(),
      path.join(folder, 'sentinel.conf'),
      '--sentinel',
      ...flags({ port: String(own), bind: '127.0.0.1', dir: folder }),
    ],
  });
}

/**
 * Several servers as one.
 *
 * @param {readonly import('./server.mjs').Server[]} servers
 * @param {string} url
 * @returns {import('./server.mjs').Server}
 */
function together(servers, url) {
  /** @param {(server: import('./server.mjs').Server) => unknown} action */
  const all = async (action) => {
    await Promise.all(servers.map(action));
  };
  return {
    url,
    start: () => all((server) => server.start()),
    kill: () => all((server) => server.kill()),
    freeze: () => void all((server) => server.freeze()),
    resume: () => void all((server) => server.resume()),
    stop: () => all((server) => server.stop()),
  };
}

/** @param {import('./server.mjs').Server} server */
function pick({ start, kill, freeze, resume }) {
  return { start, kill, freeze, resume };
}

/**
 * @param {string} url
 * @param {...string} words
 */
async function ask(url, ...words) {
  const { port } = new URL(url);
  const { stdout } = await run(findProgram('redis-cli') ?? 'redis-cli', ['-h', '127.0.0.1', '-p', port, ...words]);
  return stdout;
}

/** @param {() => Promise<boolean>} condition */
async function until(condition) {
  for (const started = Date.now(); !(await condition()); ) {
    if (Date.now() - started > 20_000) throw new Error('the servers do not find each other');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import { KeyvDynamo } from '@keyv/dynamo';
import { createClient } from '@keyv/redis';
import { type Document, MongoClient } from 'mongodb';
import { loadBeneath } from '../../../lib/platform/load-client.js';
import { TABLE } from '../../../lib/stores/sqlite/schema.js';
import { dynamo } from '../../../scripts/services/dynamo.mjs';
import { memcached } from '../../../scripts/services/memcached.mjs';
import { mongo } from '../../../scripts/services/mongo.mjs';
import { postgres } from '../../../scripts/services/postgres.mjs';
import { redis, startClusterWithReplicas } from '../../../scripts/services/redis.mjs';
import type { Server } from '../../../scripts/services/server.mjs';
import { CREDENTIALS } from '../../backends/dynamodb-process.js';
import { withSmallDisk } from '../../support/small-disk.js';
import { rawConnection, rawQuery } from '../../support/sqlite.js';
import type { Cell, Fault, FaultName } from './cell.js';
import { DAMAGED, damaged } from './damage.js';

/** A backend of the matrix: each fault, or why it cannot exist. */
export interface Backend {
  readonly name: string;
  /** Starts its server. Default: none. */
  start?(): Promise<Server>;
  /** Whether `cacheName` is a path. */
  readonly isFile?: true;
  readonly faults: Readonly<Record<FaultName, Fault | string>>;
}

const DAY = 24 * 3_600_000;

const CLOCK: Fault = {
  async begin({ subject }) {
    await subject.command('jump', DAY);
    await subject.command('run', 300);
    await subject.command('jump', -DAY);
  },
  end: ({ subject }) => subject.command('jump', 0),
};
const DESCRIPTORS: Fault = {
  launcher: () => ['sh', '-c', 'ulimit -n 128; exec "$@"', 'sh'],
  begin: ({ subject }) => subject.command('fill', 'descriptors'),
  end: ({ subject }) => subject.command('release', 'descriptors'),
};
const LOCAL = { 'clock jump': CLOCK, 'no descriptors': DESCRIPTORS };

/** Faults of any server behind the proxy. */
const GONE = {
  async begin({ server, proxy }: Cell) {
    await server.kill();
    await proxy.refuse();
  },
  async end({ server, proxy }: Cell) {
    await server.start();
    await proxy.listen();
  },
};
const FROZEN: Fault = {
  begin: async ({ server }) => server.freeze(),
  end: async ({ server }) => server.resume(),
};
const SERVER = {
  ...LOCAL,
  'down at start': { ...GONE, atStart: true },
  killed: GONE,
  frozen: FROZEN,
  slow: {
    begin: async ({ proxy }: Cell) => {
      proxy.delay = 300;
    },
    end: async ({ proxy }: Cell) => {
      proxy.delay = 0;
    },
  },
} as const;

/** Runs the process on a disk of two megabytes, which a confined fault fills or makes read-only. */
const onSmallDisk = (fault: 'full' | 'read-only'): Fault => ({
  launcher: ({ cacheName }) => withSmallDisk(path.dirname(cacheName), 4),
  begin: ({ subject }) => subject.command('fill', fault),
  end: ({ subject }) => subject.command('release', fault),
});
const NO_SERVER = 'there is no server';
const FILES = {
  ...LOCAL,
  full: onSmallDisk('full'),
  'read-only': onSmallDisk('read-only'),
  slow: 'a slow disk cannot be made here',
  'wrong password': NO_SERVER,
} as const;

/** A file in the place of the folder. */
const NO_FOLDER: Fault = {
  atStart: true,
  async begin({ cacheName }) {
    rmSync(path.dirname(cacheName), { recursive: true });
    writeFileSync(path.dirname(cacheName), '');
  },
  async end({ cacheName }) {
    rmSync(path.dirname(cacheName));
    mkdirSync(path.dirname(cacheName));
  },
};

/** The files of entries in a folder of the cache. */
function entryFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /[0-9a-f]{64}\.\w+$/.test(name))
    .map((name) => path.join(folder, name))
    .filter((file) => statSync(file).isFile());
}

/** Sends a command to each of some servers of Redis. */
async function toRedis(urls: readonly string[], ...words: readonly string[]): Promise<void> {
  for (const url of urls) {
    const client = createClient({ url });
    client.on('error', () => {});
    await client.connect();
    await client.sendCommand([...words]);
    client.destroy();
  }
}

/** In Lua, where bytes stay bytes: the kinds of damage.ts. */
const DAMAGE_IN_LUA = `
  local kinds = {
    function() return '' end, function(v) return string.sub(v, 1, #v / 2) end, function(v) return string.sub(v, 1, -2) end,
    function(v) return v .. v end, function(v) return '!' .. string.sub(v, 2) end,
    function(v) return string.sub(v, 1, -2) .. '!' end,
    function(v) return string.sub(v, 1, #v / 2) .. '!' .. string.sub(v, #v / 2 + 2) end,
    function() return 'not of this cache' end, function() return '{"value":{"status":200},"expires":null}' end,
    function(v) return string.rep('0', #v) end }
  local done = tonumber(ARGV[2])
  for _, key in ipairs(redis.call('KEYS', '*:r:*')) do
    if done < tonumber(ARGV[1]) and string.find(key, ARGV[3], 1, true) and redis.call('TYPE', key).ok == 'string' then
      redis.call('SET', key, kinds[done % 10 + 1](redis.call('GET', key)))
      done = done + 1
    end
  end
  return done`;

const inRedis = (urlsOf: (server: Server) => readonly string[]) => ({
  full: {
    begin: ({ server }: Cell) => toRedis(urlsOf(server), 'CONFIG', 'SET', 'maxmemory', '1'),
    end: ({ server }: Cell) => toRedis(urlsOf(server), 'CONFIG', 'SET', 'maxmemory', '0'),
  },
  'read-only': {
    begin: ({ server }: Cell) => toRedis(urlsOf(server), 'CONFIG', 'SET', 'min-replicas-to-write', '9'),
    end: ({ server }: Cell) => toRedis(urlsOf(server), 'CONFIG', 'SET', 'min-replicas-to-write', '0'),
  },
  'bad entries': {
    async begin({ server, cacheName }: Cell) {
      let done = 0;
      for (const url of urlsOf(server)) {
        const client = createClient({ url });
        await client.connect();
        const options = { arguments: [String(DAMAGED), String(done), `{${cacheName}`] };
        done = Number(await client.eval(DAMAGE_IN_LUA, options));
        client.destroy();
      }
    },
  },
  replaced: { begin: ({ server }: Cell) => toRedis(urlsOf(server), 'FLUSHALL') },
});

async function inMongo<T>({ server }: Cell, work: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = await new MongoClient(server.url).connect();
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

const MONGO = {
  ...SERVER,
  full: 'the server of the tests has no limit',
  'read-only': 'the server of the tests has no users',
  'wrong password': 'the server of the tests has no users',
  replaced: { begin: (cell: Cell) => inMongo(cell, (client) => client.db(cell.cacheName).dropDatabase()) },
} as const;

/** The part of a value that a kind of damage changes: the head or the body. */
const partOf = (kind: number) => (kind % 2 === 0 ? 'body' : 'head');

const DAMAGED_DOCUMENTS: Fault = {
  begin: (cell) =>
    inMongo(cell, async (client) => {
      const documents = client.db(cell.cacheName).collection('responses_v1');
      const found = (await documents.find({ 'value.body': { $exists: true } }).toArray()) as Document[];
      for (const [kind, { _id, value }] of found.slice(0, DAMAGED).entries()) {
        const part = partOf(kind);
        await documents.updateOne({ _id }, { $set: { [`value.${part}`]: damaged(value[part].buffer, kind) } });
      }
    }),
};

const DAMAGED_CHUNKS: Fault = {
  begin: (cell) =>
    inMongo(cell, async (client) => {
      const chunks = client.db(cell.cacheName).collection('responses_v1.chunks');
      const found = (await chunks.find().toArray()) as Document[];
      for (const [kind, { _id, data }] of found.slice(0, DAMAGED).entries()) {
        await chunks.updateOne({ _id }, { $set: { data: damaged(data.buffer, kind) } });
      }
    }),
};

async function inDynamo<T>({ server, cacheName }: Cell, work: (client: KeyvDynamo['client']) => Promise<T>) {
  const adapter = new KeyvDynamo({ endpoint: server.url, ...CREDENTIALS, tableName: cacheName } as never);
  try {
    return await work(adapter.client);
  } finally {
    adapter.client.destroy();
  }
}

/** By the adapter itself, in the process with the cache. */
const DAMAGED_BY_ADAPTER: Fault = { begin: ({ subject }) => subject.command('damage') };
const EMPTIED_BY_ADAPTER: Fault = { begin: ({ subject }) => subject.command('empty') };

/** Runs a statement of SQL on PostgreSQL. */
async function inPostgres({ server }: Cell, ...statements: readonly string[]): Promise<void> {
  type Client = new (
    options: object,
  ) => { connect(): Promise<void>; query(sql: string): Promise<void>; end(): Promise<void> };
  const { Client } = await loadBeneath<{ Client: Client }>('@keyv/postgres', 'pg', 'a test');
  const client = new Client({ connectionString: server.url });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

/** The connections that lock a file, by the folder of the cell. */
const locks = new Map<string, Awaited<ReturnType<typeof rawConnection>>>();
let masters: readonly string[] = [];

export const BACKENDS: readonly Backend[] = [
  {
    name: 'memory',
    faults: {
      ...LOCAL,
      'down at start': NO_SERVER,
      killed: 'it is part of the process',
      frozen: 'it is part of the process',
      slow: 'it is part of the process',
      full: 'it evicts entries above its bound',
      'read-only': 'it is part of the process',
      'bad entries': 'nothing else can write to it',
      'wrong password': NO_SERVER,
      replaced: 'nothing else can write to it',
    },
  },
  {
    name: 'sqlite',
    isFile: true,
    faults: {
      ...FILES,
      'down at start': NO_FOLDER,
      'read-only': 'an open file stays writable; tests of its store open one that is read-only',
      killed: 'kill.slow.ts kills its processes',
      frozen: {
        async begin({ cacheName, folder }) {
          // Another connection has the lock for writing.
          const lock = await rawConnection(`${cacheName}.sqlite`);
          await lock.run('BEGIN IMMEDIATE');
          locks.set(folder, lock);
        },
        async end({ folder }) {
          await locks.get(folder)?.run('ROLLBACK');
          await locks.get(folder)?.close();
        },
      },
      'bad entries': {
        async begin({ cacheName }) {
          const file = `${cacheName}.sqlite`;
          const rows = await rawQuery(file, `SELECT key, value FROM ${TABLE} LIMIT ${DAMAGED}`);
          for (const [kind, { key, value }] of rows.entries()) {
            const bytes = damaged(value as Uint8Array, kind);
            await rawQuery(file, `UPDATE ${TABLE} SET value = ? WHERE key = ?`, bytes, key as string);
          }
        },
      },
      replaced: {
        begin: async ({ cacheName }) => {
          for (const end of ['', '-wal', '-shm']) rmSync(`${cacheName}.sqlite${end}`, { force: true });
        },
      },
    },
  },
  {
    name: 'files',
    isFile: true,
    faults: {
      ...FILES,
      'down at start': NO_FOLDER,
      killed: 'kill.slow.ts kills its processes',
      frozen: 'a disk that does not answer cannot be made here',
      'bad entries': {
        async begin({ cacheName }) {
          for (const [kind, file] of entryFiles(cacheName).slice(0, DAMAGED).entries()) {
            writeFileSync(file, damaged(readFileSync(file), kind));
          }
        },
      },
      replaced: { begin: async ({ cacheName }) => rmSync(cacheName, { recursive: true }) },
    },
  },
  {
    name: 'redis',
    start: () => redis.start(),
    faults: {
      ...SERVER,
      ...inRedis(({ url }) => [url]),
      'wrong password': {
        async begin({ server: { url } }) {
          await toRedis([url], 'CONFIG', 'SET', 'requirepass', 'another');
          const { hostname, port } = new URL(url);
          await toRedis([`redis://:another@${hostname}:${port}`], 'CLIENT', 'KILL', 'TYPE', 'normal');
        },
        end({ server: { url } }) {
          const { hostname, port } = new URL(url);
          return toRedis([`redis://:another@${hostname}:${port}`], 'CONFIG', 'SET', 'requirepass', '');
        },
      },
    },
  },
  {
    name: 'redis cluster',
    async start() {
      const cluster = await startClusterWithReplicas();
      masters = cluster.masters.map(({ url }) => url);
      const [first] = cluster.masters;
      const each = async (work: (server: Server) => unknown) => {
        await Promise.all([...cluster.masters, ...cluster.replicas].map(work));
      };
      return {
        url: first?.url ?? '',
        start: () => each((server) => server.start()),
        kill: () => each((server) => server.kill()),
        freeze: () => void each((server) => server.freeze()),
        resume: () => void each((server) => server.resume()),
        stop: cluster.stop,
      };
    },
    faults: {
      ...SERVER,
      ...inRedis(() => masters),
      slow: 'a proxy cannot delay it, since a cluster names the addresses of its nodes',
      'wrong password': 'as with one server',
    },
  },
  {
    name: 'mongodb',
    start: () => mongo.start(),
    faults: { ...MONGO, 'bad entries': DAMAGED_DOCUMENTS },
  },
  {
    name: 'gridfs',
    start: () => mongo.start(),
    faults: { ...MONGO, 'bad entries': DAMAGED_CHUNKS },
  },
  {
    name: 'dynamodb',
    start: () => dynamo.start(),
    faults: {
      ...SERVER,
      full: 'a table has no limit',
      'read-only': 'the server of the tests has no users',
      'wrong password': 'the server of the tests accepts any',
      'bad entries': {
        begin: (cell) =>
          inDynamo(cell, async (client) => {
            const { Items = [] } = await client.scan({ TableName: cell.cacheName });
            const entries = Items.filter(({ value }) => value?.body !== undefined).slice(0, DAMAGED);
            for (const [kind, item] of entries.entries()) {
              const part = partOf(kind);
              const value = { ...item.value, [part]: damaged(item.value[part], kind) };
              await client.put({ TableName: cell.cacheName, Item: { ...item, value } });
            }
          }),
      },
      replaced: {
        begin: (cell) => inDynamo(cell, (client) => client.send(new DeleteTableCommand({ TableName: cell.cacheName }))),
      },
    },
  },
  {
    name: 'Map by Keyv',
    faults: {
      ...LOCAL,
      'down at start': NO_SERVER,
      killed: 'it is part of the process',
      frozen: 'it is part of the process',
      slow: 'it is part of the process',
      full: 'it has no limit',
      'read-only': 'it is part of the process',
      'bad entries': DAMAGED_BY_ADAPTER,
      'wrong password': NO_SERVER,
      replaced: EMPTIED_BY_ADAPTER,
    },
  },
  {
    name: 'PostgreSQL by Keyv',
    start: () => postgres.start(),
    faults: {
      ...SERVER,
      'down at start': 'its adapter creates the table only when it is constructed',
      full: 'its disk is that of the machine',
      'read-only': {
        begin: (cell) =>
          inPostgres(cell, 'ALTER SYSTEM SET default_transaction_read_only = on', 'SELECT pg_reload_conf()'),
        end: (cell) =>
          inPostgres(
            cell,
            'SET default_transaction_read_only = off',
            'ALTER SYSTEM RESET default_transaction_read_only',
            'SELECT pg_reload_conf()',
          ),
      },
      'bad entries': DAMAGED_BY_ADAPTER,
      'wrong password': 'the server of the tests trusts all users',
      replaced: { begin: (cell) => inPostgres(cell, 'TRUNCATE keyv') },
    },
  },
  {
    name: 'Memcached by Keyv',
    async start() {
      const server = await memcached.start();
      return { ...server, url: `memcached://${server.url}` };
    },
    faults: {
      ...SERVER,
      // memjs keeps connections whose calls had no answer in time, also after close().
      frozen: { ...SERVER.frozen, keepsAlive: true },
      slow: { ...SERVER.slow, keepsAlive: true },
      full: 'it evicts entries',
      'read-only': 'it has no users',
      'bad entries': 'its adapter gives no answer any more after a value that it cannot parse',
      'wrong password': 'it has no users',
      replaced: EMPTIED_BY_ADAPTER,
    },
  },
];

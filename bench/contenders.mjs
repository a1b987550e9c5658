import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import * as path from 'node:path';
import axios from 'axios';

/**
 * The contenders. Each opens once in a process of its own:
 *
 *   open({ url, body, folder, redisUrl, originUrl }) -> { get(path), close() }
 *
 * `get` requests a path of the origin as a user of the contender would. Contenders with `instant: true` have an adapter
 * that resolves at once with the body instead of an origin, so that a hit contains nothing but axios and the cache.
 * `needs` returns false if the contender cannot run here.
 */

/** An adapter that resolves at once. */
const instant = (body) => async (config) => ({
  data: config.responseType === 'arraybuffer' ? Buffer.from(body) : String(body),
  status: 200,
  statusText: 'OK',
  headers: { 'content-type': 'application/json', 'cache-control': 'max-age=3600' },
  config,
  request: {},
});

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
const configFor = (body) => (typeof body === 'string' ? {} : { responseType: 'arraybuffer' });

function axiosFor({ body, originUrl }, isInstant) {
  return axios.create(
    isInstant ? { baseURL: 'http://localhost', adapter: instant(body) } : { baseURL: originUrl, httpAgent: agent },
  );
}

/** axios with this package. @param {(context: object) => object} options */
const cached = (options) => async (context, isInstant) => {
  const { setupCache } = await import('axios-keyv-cache');
  const api = setupCache(axiosFor(context, isInstant), options(context));
  const config = configFor(context.body);
  return { get: (url) => api.get(url, config), close: () => api.detachCache(), cache: api.cache };
};

/**
 * axios over a bare client of a store: an adapter that reads the body by the URL, and asks the origin and writes if there
 * is none. It does nothing else that a cache must do.
 *
 * @param {(context: object) => Promise<{ read(key: string): unknown, write(key: string, body: Buffer): unknown, close?(): unknown }>} openStore
 */
const bare = (openStore) => async (context, isInstant) => {
  const store = await openStore(context);
  const origin = axiosFor(context, isInstant);
  const config = configFor(context.body);
  const api = axios.create({
    adapter: async (request) => {
      const key = String(request.url);
      let body = await store.read(key);
      if (!body) {
        const response = await origin.get(key, { responseType: 'arraybuffer' });
        body = response.data;
        await store.write(key, body);
      }
      return { ...(await instant(body)(request)) };
    },
  });
  return { get: (url) => api.get(url, config), close: () => store.close?.() };
};

const key = randomBytes(32);
const named = (backend, more = {}) =>
  cached(({ folder }) => ({ backend, cacheName: path.join(folder, 'cache'), ...more }));
const sqliteNode = { backendOptions: { driver: 'node' } };
const sqliteKeyv = { backendOptions: { driver: 'keyv' } };
const hasNodeSqlite = () => process.getBuiltinModule?.('node:sqlite') !== undefined;
const redisCache = (more = {}) =>
  cached(({ redisUrl }) => ({ backend: 'redis', cacheName: 'bench', backendOptions: { url: redisUrl }, ...more }));
const hasRedis = ({ redisUrl }) => redisUrl !== undefined;

/** @type {Record<string, { open: Function, needs?: Function, group: string }>} */
export const CONTENDERS = {
  floor: {
    group: 'floor',
    open: async (context, isInstant) => {
      const api = axiosFor(context, isInstant);
      const config = configFor(context.body);
      return { get: (url) => api.get(url, config), close() {} };
    },
  },
  memory: { group: 'axios-keyv-cache', open: cached(() => ({ backend: 'memory' })) },
  'memory, signed': { group: 'axios-keyv-cache', open: cached(() => ({ backend: 'memory', secretKey: key })) },
  'memory, encrypted': { group: 'axios-keyv-cache', open: cached(() => ({ backend: 'memory', encryptionKey: key })) },
  'memory, cacheControl': {
    group: 'axios-keyv-cache',
    open: cached(() => ({ backend: 'memory', cacheControl: true })),
  },
  'SQLite (node:sqlite)': { group: 'axios-keyv-cache', needs: hasNodeSqlite, open: named('sqlite', sqliteNode) },
  'SQLite (node:sqlite), signed': {
    group: 'axios-keyv-cache',
    needs: hasNodeSqlite,
    open: named('sqlite', { ...sqliteNode, secretKey: key }),
  },
  'SQLite (@keyv/sqlite)': { group: 'axios-keyv-cache', open: named('sqlite', sqliteKeyv) },
  files: { group: 'axios-keyv-cache', open: named('filesystem') },
  Redis: { group: 'axios-keyv-cache', needs: hasRedis, open: redisCache() },
  'node:sqlite, bare': {
    group: 'bare store',
    needs: hasNodeSqlite,
    open: bare(async ({ folder }) => {
      const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
      const database = new DatabaseSync(path.join(folder, 'bare-node.sqlite'));
      database.exec(
        'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE IF NOT EXISTS t (k PRIMARY KEY, v)',
      );
      const select = database.prepare('SELECT v FROM t WHERE k = ?');
      const insert = database.prepare('INSERT OR REPLACE INTO t VALUES (?, ?)');
      return {
        read: (url) => select.get(url)?.v,
        write: (url, body) => insert.run(url, body),
        close: () => database.close(),
      };
    }),
  },
  'sqlite3, bare': {
    group: 'bare store',
    open: bare(async ({ folder }) => {
      const { default: KeyvSqlite } = await import('@keyv/sqlite');
      const adapter = new KeyvSqlite({ uri: `sqlite://${path.join(folder, 'bare.sqlite')}` });
      await adapter.query('PRAGMA journal_mode = WAL');
      return {
        read: (url) => adapter.get(url),
        write: (url, body) => adapter.set(url, body),
        close: () => adapter.disconnect(),
      };
    }),
  },
  'file, bare': {
    group: 'bare store',
    open: bare(async ({ folder }) => {
      const directory = path.join(folder, 'bare');
      mkdirSync(directory, { recursive: true });
      const file = (url) => path.join(directory, createHash('sha256').update(url).digest('hex'));
      return {
        read(url) {
          try {
            return readFileSync(file(url));
          } catch {
            return undefined;
          }
        },
        write(url, body) {
          writeFileSync(`${file(url)}.tmp`, body);
          renameSync(`${file(url)}.tmp`, file(url));
        },
      };
    }),
  },
  'node-redis, bare': {
    group: 'bare store',
    needs: hasRedis,
    open: bare(async ({ redisUrl }) => {
      const { createClient } = await import('@keyv/redis');
      const { RESP_TYPES } = await import('redis').catch(() => ({ RESP_TYPES: { BLOB_STRING: 36 } }));
      const client = createClient({ url: redisUrl });
      await client.connect();
      const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
      return {
        read: (url) => bytes.get(`bare:${url}`),
        write: (url, body) => client.set(`bare:${url}`, body),
        close: () => client.close(),
      };
    }),
  },
  'axios-cache-interceptor': {
    group: 'peer',
    open: async (context, isInstant) => {
      const { setupCache } = await import('axios-cache-interceptor');
      const api = setupCache(axiosFor(context, isInstant), { ttl: 3_600_000, interpretHeader: false });
      const config = configFor(context.body);
      return { get: (url) => api.get(url, config), close() {} };
    },
  },
  'axios-cache-interceptor, cloneData': {
    group: 'peer',
    open: async (context, isInstant) => {
      const { buildMemoryStorage, setupCache } = await import('axios-cache-interceptor');
      const storage = buildMemoryStorage(true);
      const api = setupCache(axiosFor(context, isInstant), { ttl: 3_600_000, interpretHeader: false, storage });
      const config = configFor(context.body);
      return { get: (url) => api.get(url, config), close() {} };
    },
  },
  undici: peer('undici'),
  got: peer('got'),
  'make-fetch-happen': peer('make-fetch-happen'),
  'requests-cache (Python)': peer('requests-cache'),
};

/** A contender that is not a dependency of this package: `npm install --prefix bench/peers`. It asks a real origin. */
function peer(file) {
  const load = () => import(`./peers/${file}.mjs`);
  return {
    group: 'peer',
    isRemote: true,
    needs: async () => {
      try {
        return (await (await load()).isInstalled?.()) ?? true;
      } catch {
        return false;
      }
    },
    open: async (context) => (await load()).open(context),
  };
}

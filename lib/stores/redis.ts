import { once } from 'node:events';
import type { RedisClientOptions, RedisClientType } from '@keyv/redis';
import { loadClient } from '../load-client.js';
import type { Entry, EntryKind, EntrySummary } from '../models/entry.js';
import { batches, countListed, counts, fits } from './query.js';
import { HEAD_LENGTH, instantField, packRow, parseRow, parseSummary, summaryLength, unreadable } from './row.js';
import type { EntryQuery, Store } from './store.js';

export interface RedisStoreOptions {
  /** `redis://` or `rediss://`. Default: `redis://localhost:6379`. */
  readonly url?: string | undefined;
  /** A node-redis client of your own, which stays yours to close. */
  readonly client?: object | undefined;
  /** What node-redis's `createClient` takes, in its units: `socket`, `username`, `database` ... */
  readonly clientOptions?: object | undefined;
  /** Seconds that an entry is kept after it expired; the server then lets it go. Default: for ever. */
  readonly retention?: number | undefined;
}

/** What is used of @keyv/redis, which has node-redis under it. */
interface KeyvRedisModule {
  readonly default: new (client: object, options: object) => { readonly client: RedisClientType };
  createClient(options: RedisClientOptions): RedisClientType;
}

type BytesClient = Pick<RedisClientType, 'get' | 'getRange'>;

/** node-redis's RESP_TYPES.BLOB_STRING: the character that begins such a reply. */
const BLOB_STRING = 36;
/** Bytes of a row that hold nearly every head with its metadata. */
const SUMMARY_GUESS = 4_096;
const BATCH = 500;
/**
 * Milliseconds. What makes node-redis fail fast and come back by itself. There is no `socketTimeout` among it: node-redis
 * takes an idle connection for a silent server and would reconnect all the time; a frozen server is the guard's matter.
 */
const FAIL_FAST = { connectTimeout: 500, reconnectStrategy: (tries: number) => Math.min(tries * 50, 500) };

/** SET NX PX, but for whom it is held already. */
const CLAIM = `
  local holder = redis.call('GET', KEYS[1])
  if holder and holder ~= ARGV[1] then return 0 end
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1`;
const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 0`;

/**
 * Entries in Redis, through @keyv/redis's client, as bytes. Beside each row stand a sorted set of expiries and sets for
 * groups and URLs, written in one MULTI; all keys share a hash tag, so that a cluster takes it.
 */
export class RedisStore implements Store {
  readonly name = 'redis';
  readonly #tag: string;
  readonly #options: RedisStoreOptions;
  readonly #now: () => number;
  #opening: Promise<RedisClientType> | undefined;
  #client: RedisClientType | undefined;
  #bytes: BytesClient | undefined;
  #pending = 0;
  /** One for all who wait: each by itself would add listeners of its own to the client. */
  #becomingReady: Promise<unknown> | undefined;

  constructor(cacheName: string, options: RedisStoreOptions, now: () => number) {
    this.#tag = `{${cacheName}}`;
    this.#options = options;
    this.#now = now;
  }

  find(id: string): Promise<Entry | undefined> {
    return this.#run(async () => {
      const row = (await this.#bytes?.get(this.#row(id))) as unknown as Buffer | null | undefined;
      return row === null || row === undefined ? undefined : parseRow(id, row);
    });
  }

  put(entry: Entry): Promise<void> {
    return this.#run(async (client) => {
      const multi = client.multi();
      const kept = entry.expires + (this.#options.retention ?? Number.POSITIVE_INFINITY) * 1000 - this.#now();
      const lifetime = Number.isFinite(kept) ? { PX: Math.max(1, Math.ceil(kept)) } : {};
      multi.set(this.#row(entry.id), packRow(entry), lifetime);
      multi.zAdd(this.#expiries(entry.kind), { score: Number(instantField(entry.expires)), value: entry.id });
      for (const set of this.#sets(entry)) multi.sAdd(set, entry.id);
      await multi.exec();
    });
  }

  drop(ids: readonly string[]): Promise<number> {
    return this.#run(async (client) => {
      const members = await Promise.all(ids.map((id) => client.sMembers(this.#group(id))));
      return this.#remove(client, [...new Set([...ids, ...members.flat()])]);
    });
  }

  dropExact(ids: readonly string[]): Promise<number> {
    return this.#run((client) => this.#remove(client, ids));
  }

  async *list(query: EntryQuery = {}): AsyncGenerator<EntrySummary> {
    for await (const ids of this.#candidates(query)) {
      const summaries = await this.#run(() => Promise.all(ids.map((id) => this.#summary(id))));
      for (const summary of summaries) if (summary && fits(summary, query)) yield summary;
    }
  }

  /** Looks at what is there rather than at the index: the server may have let go of rows by itself. */
  count(query: EntryQuery = {}): Promise<number> {
    return countListed(this, query);
  }

  async purge(now: number): Promise<number> {
    let purged = 0;
    for (const kind of ['response', 'redirect'] as const) {
      for (;;) {
        const ids = await this.#run((client) =>
          client.zRange(this.#expiries(kind), '-inf', Number(instantField(now)), {
            BY: 'SCORE',
            LIMIT: { offset: 0, count: BATCH },
          }),
        );
        if (ids.length === 0) break;
        purged += await this.dropExact(ids);
      }
    }
    return purged;
  }

  async clear(): Promise<void> {
    const pattern = `${this.#tag.replace(/[[\]?*\\]/g, '\\$&')}:*`;
    await this.#run(async (client) => {
      for await (const keys of client.scanIterator({ MATCH: pattern, COUNT: 2_000 })) {
        if (keys.length > 0) await client.unlink(keys);
      }
    });
  }

  claim(name: string, holder: string, seconds: number): Promise<boolean> {
    return this.#run(async (client) => {
      const milliseconds = String(Math.max(1, Math.round(seconds * 1000)));
      return (await client.eval(CLAIM, { keys: [this.#lease(name)], arguments: [holder, milliseconds] })) === 1;
    });
  }

  async release(name: string, holder: string): Promise<void> {
    await this.#run((client) => client.eval(RELEASE, { keys: [this.#lease(name)], arguments: [holder] }));
  }

  async ready(): Promise<void> {
    await this.#run((client) => client.ping());
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#opening = undefined;
    if (client && this.#options.client === undefined) client.destroy();
  }

  /** Works with the client, which keeps the process alive as long as something is asked of it. */
  async #run<T>(work: (client: RedisClientType) => Promise<T>): Promise<T> {
    const client = this.#client ?? (await this.#open());
    this.#pending += 1;
    if (this.#pending === 1) client.ref();
    try {
      if (!client.isReady) await this.#untilReady(client);
      return await work(client);
    } finally {
      this.#pending -= 1;
      if (this.#pending === 0 && this.#options.client === undefined) client.unref();
    }
  }

  #untilReady(client: RedisClientType): Promise<unknown> {
    this.#becomingReady ??= once(client, 'ready').finally(() => {
      this.#becomingReady = undefined;
    });
    return this.#becomingReady;
  }

  #open(): Promise<RedisClientType> {
    this.#opening ??= this.#connect().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #connect(): Promise<RedisClientType> {
    const { default: KeyvRedis, createClient } = await loadClient<KeyvRedisModule>('@keyv/redis', 'backend "redis"');
    const { url, clientOptions = {} } = this.#options;
    const { socket, ...rest } = clientOptions as RedisClientOptions;
    const given =
      (this.#options.client as RedisClientType | undefined) ??
      createClient({
        ...(url === undefined ? {} : { url }),
        disableOfflineQueue: true,
        ...rest,
        socket: { ...FAIL_FAST, ...socket } as object,
      });
    // An error without a listener would end the process.
    given.on('error', () => {});
    const { client } = new KeyvRedis(given, { throwOnErrors: true });
    this.#client = client;
    this.#bytes = client.withTypeMapping({ [BLOB_STRING]: Buffer }) as unknown as BytesClient;
    if (!client.isOpen) client.connect().catch(() => {});
    return client;
  }

  #row(id: string): string {
    return `${this.#tag}:r:${id}`;
  }

  #lease(name: string): string {
    return `${this.#tag}:l:${name}`;
  }

  #group(group: string): string {
    return `${this.#tag}:g:${group}`;
  }

  #url(digest: string): string {
    return `${this.#tag}:u:${digest}`;
  }

  /** Responses have a set of their own, since they are what is counted. */
  #expiries(kind: EntryKind): string {
    return `${this.#tag}:e:${kind === 'response' || kind === 'unknown' ? 'responses' : 'others'}`;
  }

  #sets(entry: EntrySummary): string[] {
    return [
      ...(entry.group === entry.id ? [] : [this.#group(entry.group)]),
      ...entry.urls.map((digest) => this.#url(digest)),
    ];
  }

  async *#candidates({ group, url }: EntryQuery): AsyncGenerator<readonly string[]> {
    if (group !== undefined) yield [group, ...(await this.#run((client) => client.sMembers(this.#group(group))))];
    else if (url !== undefined) yield await this.#run((client) => client.sMembers(this.#url(url)));
    else for (const kind of ['response', 'redirect'] as const) yield* this.#all(this.#expiries(kind));
  }

  /** A snapshot of the names, in pages: a scan would repeat some where others are written meanwhile. */
  async *#all(set: string): AsyncGenerator<readonly string[]> {
    const ids = await this.#run((client) => client.zRange(set, 0, -1));
    yield* batches(ids, BATCH);
  }

  async #summary(id: string): Promise<EntrySummary | undefined> {
    const read = async (end: number) => (await this.#bytes?.getRange(this.#row(id), 0, end - 1)) as unknown as Buffer;
    const start = await read(SUMMARY_GUESS);
    if (start.byteLength === 0) return undefined;
    if (start.byteLength < HEAD_LENGTH) return unreadable(id, start.byteLength);
    const whole = summaryLength(start);
    const size =
      start.byteLength < SUMMARY_GUESS ? start.byteLength : await this.#run((client) => client.strLen(this.#row(id)));
    return parseSummary(id, whole > SUMMARY_GUESS ? await read(whole) : start, size);
  }

  async #remove(client: RedisClientType, ids: readonly string[]): Promise<number> {
    let removed = 0;
    for (const batch of batches(ids, BATCH)) {
      const summaries = await Promise.all(batch.map((id) => this.#summary(id)));
      const multi = client.multi();
      for (const [index, id] of batch.entries()) {
        const summary = summaries[index];
        multi.del(this.#row(id)).zRem(this.#expiries('response'), id).zRem(this.#expiries('redirect'), id);
        for (const set of summary ? this.#sets(summary) : []) multi.sRem(set, id);
        if (summary && counts(summary)) removed += 1;
      }
      await multi.exec();
    }
    return removed;
  }
}

import type { EventEmitter } from 'node:events';
import { loadBeneath } from '../../../lib/platform/load-client.js';
import { DAMAGED } from './damage.js';

interface Adapter {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown, ttl?: number): Promise<unknown>;
  delete(key: string): Promise<boolean>;
  clear(): Promise<void>;
  disconnect?(): Promise<void>;
  readonly client?: { close?(): void };
}

/** Storage adapters of Keyv, by the names of the matrix. */
const ADAPTERS: Readonly<Record<string, (url: string) => Promise<Adapter | Map<string, unknown>>>> = {
  'Map by Keyv': async () => new Map(),
  'PostgreSQL by Keyv': async (uri) => {
    const { KeyvPostgres } = await import('@keyv/postgres');
    // The pool of the adapter has no listener for the errors of idle connections, which would end the process.
    const pg = await loadBeneath<{ Pool: new (options: object) => EventEmitter }>('@keyv/postgres', 'pg', 'a test');
    pg.Pool = class extends pg.Pool {
      constructor(options: object) {
        super(options);
        this.on('error', () => {});
      }
    };
    return new KeyvPostgres({ uri }) as unknown as Adapter;
  },
  'Memcached by Keyv': async (url) => {
    const { KeyvMemcache } = await import('@keyv/memcache');
    return new KeyvMemcache(new URL(url).host) as unknown as Adapter;
  },
};

/** A storage adapter whose keys are recorded, so that its entries can be damaged through the adapter itself. */
export class RecordedStore {
  readonly #adapter: Adapter | Map<string, unknown>;
  readonly #keys = new Set<string>();

  private constructor(adapter: Adapter | Map<string, unknown>) {
    this.#adapter = adapter;
    const set = adapter.set.bind(adapter) as Adapter['set'];
    (adapter as Adapter).set = (key, ...more) => {
      this.#keys.add(key);
      return set(key, ...more);
    };
  }

  /** The adapter of a backend of the matrix; undefined if it is none of Keyv. */
  static async open(backend: string, url: string): Promise<RecordedStore | undefined> {
    const adapter = await ADAPTERS[backend]?.(url);
    return adapter && new RecordedStore(adapter);
  }

  get adapter(): Adapter | Map<string, unknown> {
    return this.#adapter;
  }

  /** Changes the values of the first entries, which are text or, in a Map, the objects of Keyv. */
  async damage(damaged: (bytes: Uint8Array, kind: number) => Buffer): Promise<void> {
    let kind = 0;
    for (const key of [...this.#keys]
      .filter((name) => /:[0-9a-z]{64}$/.test(name) && !name.includes(':l:'))
      .slice(0, DAMAGED)) {
      const value = await this.#adapter.get(key);
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      await this.#adapter.set(key, damaged(Buffer.from(text), kind).toString('latin1'));
      kind += 1;
    }
  }

  async empty(): Promise<void> {
    await this.#adapter.clear();
  }

  /** Closes what the cache did not: it disconnects an adapter that was given without a Keyv. */
  async close(): Promise<void> {
    const { disconnect, client } = this.#adapter as Partial<Adapter>;
    if (disconnect) await disconnect.call(this.#adapter).catch(() => {});
    else client?.close?.();
  }
}

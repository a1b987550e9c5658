import { setTimeout as pause } from 'node:timers/promises';

type Call = 'get' | 'set' | 'delete';

/** Calls of a kind between two that are delayed. */
const QUICK_CALLS = 9;

/** A Keyv storage adapter over a `Map` that works, but of whose calls some are slow. */
export class SlowAdapter {
  readonly opts = { dialect: 'sqlite' };
  readonly #map: Map<string, unknown>;
  readonly #delays: Readonly<Record<Call, number>>;
  readonly #calls: Record<Call, number> = { get: 0, set: 0, delete: 0 };

  /** @param delays milliseconds by which every tenth call of a kind is delayed */
  constructor(map: Map<string, unknown>, delays: Readonly<Record<Call, number>>) {
    this.#map = map;
    this.#delays = delays;
  }

  async get(key: string): Promise<unknown> {
    await this.#delay('get');
    return this.#map.get(key);
  }

  async set(key: string, value: unknown): Promise<boolean> {
    await this.#delay('set');
    this.#map.set(key, value);
    return true;
  }

  async delete(key: string): Promise<boolean> {
    await this.#delay('delete');
    return this.#map.delete(key);
  }

  async clear(): Promise<void> {
    this.#map.clear();
  }

  async *iterator(): AsyncGenerator<[string, unknown]> {
    for (const key of this.#map.keys()) yield [key, await this.get(key)];
  }

  on(): this {
    return this;
  }

  async #delay(call: Call): Promise<void> {
    this.#calls[call] += 1;
    if (this.#calls[call] % (QUICK_CALLS + 1) === 0) await pause(this.#delays[call]);
  }
}

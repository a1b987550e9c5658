// Any store with get, set and delete, as Keyv storage adapters have them. `iterator` makes lists and counts possible.
import axios from 'axios';
import { setupCache } from 'axios-keyv-cache';

class ObjectStore {
  readonly #values = new Map<string, unknown>();
  async get(key: string) {
    return this.#values.get(key);
  }
  async set(key: string, value: unknown) {
    this.#values.set(key, value);
  }
  async delete(key: string) {
    return this.#values.delete(key);
  }
  async *iterator() {
    yield* this.#values;
  }
}

const api = setupCache(axios.create({ baseURL: 'https://example.org' }), {
  backend: new ObjectStore(),
  expireAfter: '1h',
});
await api.get('/users/1');
console.log((await api.get('/users/1')).fromCache); // true
await api.detachCache();

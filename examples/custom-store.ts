// Any store with get, set and delete: a Keyv storage adapter. `iterator` makes lists and counts possible.
import axios from 'axios';
import { setupCache } from 'axios-keyv-cache';
import Keyv from 'keyv';

class ObjectStore {
  readonly opts = { url: 'object:' };
  readonly #values = new Map<string, unknown>();
  async get(key: string) {
    return this.#values.get(key);
  }
  async set(key: string, value: unknown) {
    this.#values.set(key, value);
    return true;
  }
  async delete(key: string) {
    return this.#values.delete(key);
  }
  async clear() {
    this.#values.clear();
  }
  async *iterator() {
    yield* this.#values;
  }
  on() {
    return this;
  }
}

const backend = new Keyv({ store: new ObjectStore() });
const api = setupCache(axios.create({ baseURL: 'https://example.org' }), { backend, expireAfter: '1h' });
await api.get('/users/1');
console.log((await api.get('/users/1')).fromCache); // true
await api.detachCache();

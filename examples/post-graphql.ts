// Queries by POST are cached by their body; a mutation is not, and removes the queries that it concerns.
import axios from 'axios';
import { setupCache } from 'axios-keyv-cache';

const api = setupCache(axios.create({ baseURL: 'https://example.org' }), { backend: 'memory', expireAfter: '10m' });

const query = (text: string, variables: object) =>
  api.post('/graphql', { query: text, variables }, { allowableMethods: ['POST'], tags: ['users'] });
const mutate = (text: string, variables: object) =>
  api.post('/graphql', { query: text, variables }, { invalidates: { tags: ['users'] } });

const user = 'query ($id: ID!) { user(id: $id) { name } }';
console.log((await query(user, { id: 1 })).fromCache); // false
console.log((await query(user, { id: 1 })).fromCache); // true
console.log((await query(user, { id: 2 })).fromCache); // false: another body
await mutate('mutation { rename(id: 1, name: "Ada") { id } }', {});
console.log((await query(user, { id: 1 })).fromCache); // false
await api.detachCache();

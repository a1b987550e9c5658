import { loadClient } from '../platform/load-client.js';
import type { Serializer } from './serializer.js';

const load = () => loadClient<typeof import('bson')>('bson', 'serializer "bson"');

/** BSON, written and read by the package `bson`. */
export const bsonSerializer: Serializer = {
  name: 'bson',
  needs: 'bson',
  dumps: async (value) => (await load()).serialize(value as object),
  loads: async (data: Uint8Array) => (await load()).deserialize(data),
};

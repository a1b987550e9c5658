import { deserialize, serialize } from 'node:v8';
import { loadClient } from '../platform/load-client.js';
import type { Serializer } from './serializer.js';

// The serializers of this package.

/** JSON, the default. */
export const jsonSerializer: Serializer = {
  name: 'json',
  dumps: (value) => JSON.stringify(value),
  loads: (text: string) => JSON.parse(text) as unknown,
};

/**
 * JSON with a line for each property, for files that people read. Reading takes as long as without lines; writing takes
 * twice as long, a few microseconds beside the writing of a file.
 */
export const linedJsonSerializer: Serializer = {
  ...jsonSerializer,
  dumps: (value) => {
    const properties = Object.entries(value as object).filter(([, property]) => property !== undefined);
    const lines = properties.map((property) => property.map((part) => JSON.stringify(part)).join(': '));
    return `{\n  ${lines.join(',\n  ')}\n}\n`;
  },
};

/** V8's own format, the fastest for large headers (requests-cache: `pickle`). */
export const v8Serializer: Serializer = {
  name: 'v8',
  dumps: (value) => serialize(value),
  loads: (data: Uint8Array) => deserialize(data) as unknown,
};

const bson = () => loadClient<typeof import('bson')>('bson', 'serializer "bson"');

/** BSON, written and read by the package `bson`. */
export const bsonSerializer: Serializer = {
  name: 'bson',
  needs: 'bson',
  dumps: async (value) => (await bson()).serialize(value as object),
  loads: async (data: Uint8Array) => (await bson()).deserialize(data),
};

const yaml = () => loadClient<typeof import('yaml')>('yaml', 'serializer "yaml"');

/** YAML, written and read by the package `yaml`; readable by people. */
export const yamlSerializer: Serializer = {
  name: 'yaml',
  needs: 'yaml',
  dumps: async (value) => (await yaml()).stringify(value),
  loads: async (text: string) => (await yaml()).parse(text),
};

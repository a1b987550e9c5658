import type { Serializer } from './serializer.js';

/** The default: readable, and nothing to install. */
export const jsonSerializer: Serializer = {
  name: 'json',
  dumps: (value) => JSON.stringify(value),
  loads: (data) => JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8')) as unknown,
};

/**
 * The same with a line for each property, for files that people read. Parsing takes as long; making it takes twice as
 * long, a few microseconds beside the writing of a file.
 */
export const linedJsonSerializer: Serializer = {
  ...jsonSerializer,
  dumps: (value) => {
    const properties = Object.entries(value as object).filter(([, property]) => property !== undefined);
    const lines = properties.map((property) => property.map((part) => JSON.stringify(part)).join(': '));
    return `{\n  ${lines.join(',\n  ')}\n}\n`;
  },
};

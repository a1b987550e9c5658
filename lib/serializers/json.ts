import type { Serializer } from './serializer.js';

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

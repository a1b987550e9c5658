import type { Serializer } from './serializer.js';

/** The default: readable, and nothing to install. */
export const jsonSerializer: Serializer = {
  name: 'json',
  dumps: (value) => JSON.stringify(value),
  loads: (data) => JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8')) as unknown,
};

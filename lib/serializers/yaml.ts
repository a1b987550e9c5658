import { loadClient } from '../platform/load-client.js';
import type { Serializer } from './serializer.js';

const load = () => loadClient<typeof import('yaml')>('yaml', 'serializer "yaml"');

/** YAML, by the `yaml` package: for people to read. */
export const yamlSerializer: Serializer = {
  name: 'yaml',
  needs: 'yaml',
  dumps: async (value) => (await load()).stringify(value),
  loads: async (data) => (await load()).parse(Buffer.from(data).toString('utf8')),
};

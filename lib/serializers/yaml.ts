import { loadClient } from '../platform/load-client.js';
import type { Serializer } from './serializer.js';

const load = () => loadClient<typeof import('yaml')>('yaml', 'serializer "yaml"');

/** YAML, written and read by the package `yaml`; readable by people. */
export const yamlSerializer: Serializer = {
  name: 'yaml',
  needs: 'yaml',
  dumps: async (value) => (await load()).stringify(value),
  loads: async (text: string) => (await load()).parse(text),
};

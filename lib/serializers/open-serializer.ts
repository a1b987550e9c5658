import { optionError } from '../errors.js';
import { canResolve, missingPackage } from '../platform/load-client.js';
import { bsonSerializer } from './bson.js';
import { jsonSerializer } from './json.js';
import type { Serializer } from './serializer.js';
import { v8Serializer } from './v8.js';
import { yamlSerializer } from './yaml.js';

const SERIALIZERS: Readonly<Record<string, Serializer>> = {
  json: jsonSerializer,
  v8: v8Serializer,
  bson: bsonSerializer,
  yaml: yamlSerializer,
};
const NAME = /^[\w.+-]{1,64}$/;

/**
 * The serializer that an option names or is; `'json'` where there is none.
 *
 * @throws TypeError for anything else; CacheError `ERR_CACHE_MISSING_PACKAGE` where its package is not installed
 */
export function openSerializer(value: unknown): Serializer {
  if (value === undefined) return jsonSerializer;
  if (typeof value === 'string' && Object.hasOwn(SERIALIZERS, value)) return resolved(SERIALIZERS[value] as Serializer);
  if (isSerializer(value)) return value;
  throw optionError(
    'serializer',
    value,
    `${Object.keys(SERIALIZERS)
      .map((name) => `"${name}"`)
      .join(', ')}, or { name, dumps(value), loads(data) }`,
  );
}

function resolved(serializer: Serializer): Serializer {
  const { name, needs } = serializer;
  if (needs !== undefined && !canResolve(needs)) throw missingPackage(needs, `serializer "${name}"`);
  return serializer;
}

function isSerializer(value: unknown): value is Serializer {
  const { name, dumps, loads } = (value ?? {}) as Partial<Serializer>;
  return typeof name === 'string' && NAME.test(name) && typeof dumps === 'function' && typeof loads === 'function';
}

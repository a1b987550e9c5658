import { optionError } from '../errors.js';
import { canResolve, missingPackage } from '../platform/load-client.js';
import { bsonSerializer, jsonSerializer, linedJsonSerializer, v8Serializer, yamlSerializer } from './formats.js';
import type { Serializer } from './serializer.js';
import { type Stage, utf8Stage } from './stages.js';

/** The serializers of this package. */
const FORMATS = { json: jsonSerializer, v8: v8Serializer, bson: bsonSerializer, yaml: yamlSerializer };

/** Name of a serializer of this package. */
export type SerializerName = keyof typeof FORMATS;

const NAME = /^[\w.+-]{1,64}$/;
export const SERIALIZER_NAMES = Object.keys(FORMATS)
  .map((name) => `"${name}"`)
  .join(', ');

/**
 * Returns the serializer that an option names or is.
 *
 * @param value default: `'json'`
 * @throws TypeError if the value is neither; CacheError `ERR_CACHE_MISSING_PACKAGE` if its package is not installed
 */
export function openSerializer(value: unknown = 'json', option = 'serializer'): Serializer {
  if (isName(value)) return resolved(FORMATS[value]);
  if (isSerializer(value)) return value;
  throw optionError(option, value, `${SERIALIZER_NAMES}, or { name, dumps(value), loads(data) }`);
}

/** Whether a serializer is one of this package, so that only damage can make an entry unreadable. */
export function isOwnFormat(serializer: unknown): boolean {
  return serializer === linedJsonSerializer || Object.values<unknown>(FORMATS).includes(serializer);
}

/** Whether a serializer is synchronous and writes all metadata. */
export function isImmediate(serializer: unknown): boolean {
  return serializer === jsonSerializer || serializer === linedJsonSerializer || serializer === v8Serializer;
}

/** Whether a text can be the name of a serializer, which is stored with each entry. */
export function isSerializerName(name: unknown): boolean {
  return typeof name === 'string' && NAME.test(name);
}

function isName(value: unknown): value is SerializerName {
  return typeof value === 'string' && Object.hasOwn(FORMATS, value);
}

function resolved(serializer: Serializer): Serializer {
  const { name, needs } = serializer;
  if (needs !== undefined && !canResolve(needs)) throw missingPackage(needs, `serializer "${name}"`);
  return serializer;
}

/** A stage of a pipeline is none: it writes bytes or text, not values. */
function isSerializer(value: unknown): value is Serializer {
  const { name, dumps, loads } = (value ?? {}) as Partial<Serializer>;
  if ((value as Partial<Stage> | undefined)?.bytes === true || value === utf8Stage) return false;
  return isSerializerName(name) && typeof dumps === 'function' && typeof loads === 'function';
}

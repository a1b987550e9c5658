import { homedir } from 'node:os';
import * as path from 'node:path';
import { hiddenOptionError, optionError, unknownOptionError } from '../errors.js';
import { ownCopy } from '../platform/own-copy.js';
import { warnOnce } from '../platform/warnings.js';
import { parseExpiration } from '../policy/expiration.js';
import { waitHint } from '../policy/units.js';
import type { EntryCodec } from '../serializers/codec.js';
import { type Keys, readKeys } from '../serializers/keys.js';
import { openCodec } from '../serializers/open-codec.js';
import { openSerializer } from '../serializers/open-serializer.js';
import type { Serializer } from '../serializers/serializer.js';
import { backendsWith } from './option-places.js';

/** Options of every backend. */
export interface CommonBackendOptions {
  /**
   * File, namespace, database, table or folder. Default: `'http_cache'`.
   *
   * @example
   * new RedisCache({ cacheName: 'reports' });
   */
  readonly cacheName?: string | undefined;
  /**
   * The format of metadata. Default: `'json'`.
   *
   * @example
   * new FileCache({ serializer: 'yaml' });
   */
  readonly serializer?: Serializer | 'json' | 'v8' | 'bson' | 'yaml' | undefined;
  /**
   * Signs entries: a key of 32 bytes or more, or a list of keys; the first signs, all verify. Default: none.
   *
   * @example
   * new FileCache({ secretKey: 'a secret text of at least 32 bytes' });
   */
  readonly secretKey?: Keys | undefined;
  /**
   * Encrypts entries: a key of 32 bytes or more, or a list of keys; the first encrypts, all decrypt. Default: none.
   *
   * @example
   * new RedisCache({ encryptionKey: ['the new key, 32 bytes or longer', 'the old key, 32 bytes or longer'] });
   */
  readonly encryptionKey?: Keys | undefined;
  /**
   * Seconds that a request waits for the store; 0 for no limit. Default: 1.
   *
   * @example
   * new RedisCache({ backendTimeout: 0.25 });
   */
  readonly backendTimeout?: number | undefined;
  /**
   * Rejects requests if the store fails, instead of continuing without it. Default: `false`.
   *
   * @example
   * new RedisCache({ strict: true });
   */
  readonly strict?: boolean | undefined;
  /**
   * Time for which entries are kept after expiry, as a number of seconds or another form of `expireAfter`. Default:
   * forever.
   *
   * @example
   * new SqliteCache({ retention: '7d' });
   */
  readonly retention?: number | string | object | undefined;
}

/** A controllable clock in place of that of the machine, for tests. */
export interface BackendClock {
  readonly now?: () => number;
}

export const DEFAULT_CACHE_NAME = 'http_cache';

/** Reads one option; throws a TypeError for a value that is not accepted. */
export type Reader = (value: unknown, option: string) => unknown;

const COMMON: Readonly<Record<string, Reader>> = {
  cacheName: (value, option) => {
    if (typeof value !== 'string' || value === '' || value.includes('\0'))
      throw optionError(option, value, 'a text that is not empty');
    return value;
  },
  serializer: openSerializer,
  secretKey: readKeys,
  encryptionKey: readKeys,
  backendTimeout: (value, option) => {
    const hint = waitHint(option, value);
    if (hint !== undefined) warnOnce(hint);
    return atLeastZero(value, option);
  },
  strict: flag,
  retention: (value, option) => {
    const parsed = parseExpiration(value, option);
    if (!parsed || !('seconds' in parsed))
      throw optionError(option, value, 'a length of time in seconds, or as text such as "5m"');
    return parsed.seconds;
  },
};

/**
 * Reads a backend's options by a table.
 *
 * @throws TypeError for an unknown or wrong option, which it names
 */
export function readBackendOptions(
  options: unknown,
  readers: Readonly<Record<string, Reader>>,
): Record<string, unknown> {
  if (typeof options !== 'object' || options === null) throw optionError('backendOptions', options, 'an object');
  const known = { ...COMMON, ...readers };
  const read = ownCopy<Record<string, unknown>>({});
  for (const [name, value] of Object.entries(options)) {
    const reader = Object.hasOwn(known, name) ? known[name] : undefined;
    if (!reader) throw unknownOptionError(name, value, Object.keys(known), placeOf(name));
    if (value !== undefined) read[name] = reader(value, name);
  }
  return read;
}

function placeOf(name: string): string | undefined {
  const backends = backendsWith(name);
  return backends && `it is an option of the backend ${backends}`;
}

export function atLeastZero(value: unknown, option: string): number {
  if (typeof value !== 'number' || !(value >= 0)) throw optionError(option, value, 'a number, 0 or more');
  return value;
}

export function count(value: unknown, option: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1)
    throw optionError(option, value, 'a whole number, 1 or more');
  return value;
}

export function flag(value: unknown, option: string): boolean {
  if (typeof value !== 'boolean') throw optionError(option, value, 'true or false');
  return value;
}

/**
 * Reads the path of a file or a folder. A leading `~/` is the home directory of the user.
 *
 * @returns the path, absolute if it began with `~/`
 * @throws TypeError for a path with `..` segments or a slash at its end, for `~` alone and for `~name/` (which a shell
 *   would replace by another user's home directory), and for `~/` if the user has no home directory
 * @example readPath('~/caches/reports', 'cacheName') // '/home/me/caches/reports'
 */
export function readPath(value: unknown, option: string): string {
  const accepted = 'a relative or absolute file path without ".." segments';
  if (typeof value !== 'string' || value === '' || value.includes('\0')) throw optionError(option, value, accepted);
  const [first = '', ...rest] = value.split(/[\\/]/);
  if (first === '..' || rest.includes('..') || rest.at(-1) === '') throw optionError(option, value, accepted);
  if (HOME.test(value)) return path.join(homeDirectory(value, option), value.slice(2));
  if (first === '~' || (first.startsWith('~') && rest.length > 0))
    throw optionError(option, value, `${accepted}; "~/" is the home directory, "./~" a file of that name`);
  return value;
}

/** Windows accepts both slashes. */
const HOME = process.platform === 'win32' ? /^~[\\/]/ : /^~\//;

function homeDirectory(value: string, option: string): string {
  let home = '';
  try {
    home = homedir();
  } catch {
    // A user id without an entry in the system's list of users, as in containers.
  }
  if (path.isAbsolute(home)) return home;
  throw optionError(option, value, 'a path without "~/", since no home directory is known (the variable HOME)');
}

/** A name that needs no escaping in any store. */
export function readName(value: unknown, option: string): string {
  if (typeof value !== 'string' || !/^[\w-]{1,100}$/.test(value)) {
    throw optionError(option, value, 'a name of letters, digits, "_" and "-"');
  }
  return value;
}

/** A reader for objects of a client library. A text instead of one is not shown: it may be a URL with a password. */
export function readClientObject(accepted = 'an object'): (value: unknown, option: string) => object {
  return (value, option) => {
    if (typeof value === 'object' && value !== null) return value;
    throw typeof value === 'string' ? hiddenOptionError(option, accepted) : optionError(option, value, accepted);
  };
}

/** A reader for URLs of some protocols. The value is not shown, since a URL may contain a password. */
export function readUrl(protocols: readonly string[]): (value: unknown, option: string) => string {
  return (value, option) => {
    if (typeof value === 'string' && protocols.some((protocol) => value.startsWith(`${protocol}//`))) return value;
    const accepted = protocols.map((protocol) => `${protocol}//`).join(' or ');
    throw hiddenOptionError(option, `a ${accepted} URL`);
  };
}

/**
 * Returns the codec for a backend's options, as they were read.
 *
 * @param store.keepsObjects whether the store returns the same entry objects that it got
 */
export function codecFor(
  given: Readonly<Record<string, unknown>>,
  { keepsObjects }: { readonly keepsObjects: boolean } = { keepsObjects: false },
): EntryCodec {
  const read = ownCopy(given);
  return openCodec({
    keepsObjects,
    cacheName: (read.cacheName as string | undefined) ?? DEFAULT_CACHE_NAME,
    serializer: (read.serializer as Serializer | undefined) ?? openSerializer(undefined),
    secretKeys: read.secretKey as readonly Uint8Array[] | undefined,
    encryptionKeys: read.encryptionKey as readonly Uint8Array[] | undefined,
  });
}

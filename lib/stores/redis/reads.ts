import type { Entry, EntryHead, EntrySummary } from '../../models/entry.js';
import { batches } from '../entry-query.js';
import {
  DIGEST_LENGTH,
  FIELDS,
  HEAD_LENGTH,
  MAGIC,
  parseEntry,
  parseSummary,
  summaryLength,
  unreadable,
} from '../stored-form.js';
import type { Redis } from './client.js';
import type { RedisConnection } from './connection.js';
import { replyCode } from './failures.js';

/** Reads of rows: whole entries for hits, summaries for listings, places in the index for deletions. */

/** Bytes of a row that contain nearly every head with its metadata. */
const SUMMARY_GUESS = 4_096;
/** Bytes of a row that contain the digests of nearly every entry. */
const PLACES_GUESS = HEAD_LENGTH + 4 * DIGEST_LENGTH;
/** Commands that are sent at once. */
const AT_ONCE = 100;

/** A value of another type than string, which is no entry. */
const WRONG_TYPE = Symbol('wrong type');
type Value = Buffer | null | typeof WRONG_TYPE;

interface Waiting {
  readonly row: string;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: unknown) => void;
}

/** Reads whole entries of one shard. Reads of one turn are one command, at most 100 at a time. */
export class EntryReader {
  readonly #connection: RedisConnection;
  #waiting: Waiting[] = [];

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  async read(id: string, row: string): Promise<Entry | undefined> {
    const value = await new Promise<Value>((resolve, reject) => {
      if (this.#waiting.length === 0) void Promise.resolve().then(() => this.#send());
      this.#waiting.push({ row, resolve, reject });
      if (this.#waiting.length >= AT_ONCE) this.#send();
    });
    if (value === null) return undefined;
    return value === WRONG_TYPE ? unreadable(id, 0) : parseEntry(id, value);
  }

  #send(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    this.#connection
      .run((redis) => readRows(redis, waiting))
      .then(
        (values) => waiting.forEach(({ resolve }, index) => void resolve(values[index] ?? null)),
        (error: unknown) => waiting.forEach(({ reject }) => void reject(error)),
      );
  }
}

async function readRows(redis: Redis, waiting: readonly Waiting[]): Promise<readonly Value[]> {
  const [first, second] = waiting;
  if (!first) return [];
  if (!second) return [await readRow(redis, first.row)];
  const values = (await redis.read(first.row, ['MGET', ...waiting.map(({ row }) => row)])) as (Buffer | null)[];
  const absent = waiting.filter((_, index) => values[index] === null).map(({ row }) => row);
  // MGET does not tell an absent key from one of another type.
  if (absent.length === 0 || (await redis.send(first.row, ['EXISTS', ...absent])) === 0) return values;
  return Promise.all(waiting.map(({ row }, index) => values[index] ?? readRow(redis, row)));
}

async function readRow(redis: Redis, row: string): Promise<Value> {
  try {
    return (await redis.read(row, ['GET', row])) as Buffer | null;
  } catch (error) {
    if (replyCode(error) === 'WRONGTYPE') return WRONG_TYPE;
    throw error;
  }
}

/** Reads entries without bodies; `undefined` for absent ones. */
export function readSummaries(
  redis: Redis,
  ids: readonly string[],
  rowOf: (id: string) => string,
): Promise<(EntrySummary | undefined)[]> {
  return several(ids, (id) => summaryOf(redis, id, rowOf(id)));
}

async function summaryOf(redis: Redis, id: string, row: string): Promise<EntrySummary | undefined> {
  const start = await rangeOf(redis, row, SUMMARY_GUESS);
  if (start === WRONG_TYPE) return unreadable(id, 0);
  if (start.byteLength === 0) return undefined;
  if (start.byteLength < HEAD_LENGTH) return unreadable(id, start.byteLength);
  if (start.byteLength < SUMMARY_GUESS) return parseSummary(id, start, start.byteLength);
  const length = summaryLength(start);
  const whole = length > SUMMARY_GUESS ? await rangeOf(redis, row, length) : start;
  if (whole === WRONG_TYPE) return unreadable(id, 0);
  return parseSummary(id, whole, Number(await redis.send(row, ['STRLEN', row])));
}

/** The part of a head that names the sets of an entry. */
export type Places = Pick<EntryHead, 'id' | 'group' | 'indexes'>;

/** Reads in which sets entries are; those that are absent or unreadable are in none. */
export function readPlaces(redis: Redis, ids: readonly string[], rowOf: (id: string) => string): Promise<Places[]> {
  return several(ids, async (id) => {
    const row = rowOf(id);
    const start = await rangeOf(redis, row, PLACES_GUESS);
    const length = start === WRONG_TYPE ? undefined : placesLength(start);
    if (length === undefined) return { id, group: id, indexes: [] };
    const whole = length > PLACES_GUESS ? await rangeOf(redis, row, length) : start;
    return whole === WRONG_TYPE ? { id, group: id, indexes: [] } : { id, ...placesIn(namesOf(whole, length)) };
  });
}

/** Returns the length of a head with its digests; `undefined` for what is no entry. */
function placesLength(start: Buffer): number | undefined {
  const [offset, length] = FIELDS.indexCount;
  const count = start.toString('latin1', offset, offset + length);
  if (start.toString('latin1', 0, MAGIC.length) !== MAGIC || !/^\d{3}$/.test(count)) return undefined;
  return HEAD_LENGTH + DIGEST_LENGTH * Number(count);
}

function namesOf(head: Buffer, length: number): string {
  const [offset, groupLength] = FIELDS.group;
  return head.toString('latin1', offset, offset + groupLength) + head.toString('latin1', HEAD_LENGTH, length);
}

/** Splits the names of an entry's group and digests, as scripts return them. */
export function placesIn(names: string): { readonly group: string; readonly indexes: readonly string[] } {
  const [, groupLength] = FIELDS.group;
  const digests = names.slice(groupLength);
  return { group: names.slice(0, groupLength), indexes: digests === '' ? [] : digests.trimEnd().split('\n') };
}

async function rangeOf(redis: Redis, row: string, length: number): Promise<Buffer | typeof WRONG_TYPE> {
  try {
    return (await redis.sendForBytes(row, ['GETRANGE', row, '0', `${length - 1}`])) as Buffer;
  } catch (error) {
    if (replyCode(error) === 'WRONGTYPE') return WRONG_TYPE;
    throw error;
  }
}

async function several<T>(ids: readonly string[], read: (id: string) => Promise<T>): Promise<T[]> {
  const all: T[] = [];
  for (const batch of batches(ids, AT_ONCE)) all.push(...(await Promise.all(batch.map(read))));
  return all;
}

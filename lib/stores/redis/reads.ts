import type { Entry, EntrySummary } from '../../models/entry.js';
import { mapConcurrently } from '../concurrency.js';
import { HEAD_LENGTH, parseEntry, parseWholeSummary, summaryLength, unreadable } from '../stored-form.js';
import type { Redis } from './client.js';
import type { RedisConnection } from './connection.js';
import { replyCode } from './failures.js';

/** Reads of rows: whole entries for hits, summaries for listings. */

/** Bytes of a row that contain nearly every head with its metadata. */
const SUMMARY_GUESS = 4_096;
/** Commands that are sent at once. */
const AT_ONCE = 100;

/** A value of another type than string, which is no entry. */
const WRONG_TYPE = Symbol('wrong type');
type Value = Buffer | null | typeof WRONG_TYPE;

interface Waiting {
  readonly id: string;
  readonly row: string;
  readonly resolve: (entry: Entry | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Reads whole entries of one shard. Reads of one turn are one command, at most 100 at a time. */
export class EntryReader {
  readonly #connection: RedisConnection;
  #waiting: Waiting[] = [];

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  read(id: string, row: string): Promise<Entry | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) void Promise.resolve().then(() => this.#send());
      this.#waiting.push({ id, row, resolve, reject });
      if (this.#waiting.length >= AT_ONCE) this.#send();
    });
  }

  #send(): void {
    const waiting = this.#waiting;
    const [first, second] = waiting;
    if (!first) return;
    this.#waiting = [];
    const failed = (error: unknown) => waiting.forEach(({ reject }) => void reject(error));
    if (second) {
      this.#connection
        .run('read', (redis) => readRows(redis, waiting))
        .then((values) => waiting.forEach((one, index) => void answer(one, values[index] ?? null)), failed);
    } else
      this.#connection.run('read', (redis) => readRow(redis, first.row)).then((value) => answer(first, value), failed);
  }
}

function answer({ id, resolve }: Waiting, value: Value): void {
  if (value === null) resolve(undefined);
  else resolve(value === WRONG_TYPE ? unreadable(id, 0) : parseEntry(id, value));
}

async function readRows(redis: Redis, waiting: readonly Waiting[]): Promise<readonly Value[]> {
  const rows = waiting.map(({ row }) => row);
  const [first = ''] = rows;
  const values = (await redis.read(first, ['MGET', ...rows])) as (Buffer | null)[];
  const absent = rows.filter((_, index) => values[index] === null);
  // MGET does not distinguish an absent key from one of another type.
  if (absent.length === 0 || (await redis.send(first, ['EXISTS', ...absent])) === 0) return values;
  return Promise.all(rows.map((row, index) => values[index] ?? readRow(redis, row)));
}

function readRow(redis: Redis, row: string): Promise<Value> {
  return (redis.read(row, ['GET', row]) as Promise<Buffer | null>).catch((error: unknown) => {
    if (replyCode(error) === 'WRONGTYPE') return WRONG_TYPE;
    throw error;
  });
}

/** Reads entries without bodies; `undefined` for absent ones. */
export function readSummaries(
  redis: Redis,
  ids: readonly string[],
  rowOf: (id: string) => string,
): Promise<(EntrySummary | undefined)[]> {
  return mapConcurrently(ids, (id) => summaryOf(redis, id, rowOf(id)), AT_ONCE);
}

async function summaryOf(redis: Redis, id: string, row: string): Promise<EntrySummary | undefined> {
  const start = await rangeOf(redis, row, SUMMARY_GUESS);
  if (start === WRONG_TYPE) return unreadable(id, 0);
  // GETRANGE does not distinguish an absent key from an empty text.
  if (start.byteLength === 0) return (await redis.send(row, ['EXISTS', row])) === 1 ? unreadable(id, 0) : undefined;
  if (start.byteLength < HEAD_LENGTH) return unreadable(id, start.byteLength);
  if (start.byteLength < SUMMARY_GUESS) return parseWholeSummary(id, start, start.byteLength);
  const length = summaryLength(start);
  const whole = length > SUMMARY_GUESS ? await rangeOf(redis, row, length) : start;
  if (whole === WRONG_TYPE) return unreadable(id, 0);
  const summary = parseWholeSummary(id, whole, Number(await redis.send(row, ['STRLEN', row])));
  if (summary.kind !== 'unknown') return summary;
  // It is damaged, or was replaced between the commands: one command shows which.
  const value = await readRow(redis, row);
  if (value === null) return undefined;
  return value === WRONG_TYPE ? unreadable(id, 0) : parseWholeSummary(id, value, value.byteLength);
}

async function rangeOf(redis: Redis, row: string, length: number): Promise<Buffer | typeof WRONG_TYPE> {
  try {
    return (await redis.sendForBytes(row, ['GETRANGE', row, '0', `${length - 1}`])) as Buffer;
  } catch (error) {
    if (replyCode(error) === 'WRONGTYPE') return WRONG_TYPE;
    throw error;
  }
}

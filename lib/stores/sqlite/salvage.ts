import { closeSync, copyFileSync, existsSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { isBytes } from '../../platform/bytes.js';
import { yieldToEventLoop } from '../../platform/real-time.js';
import { parseEntry } from '../stored-form.js';
import {
  type Row,
  type SqliteConnection,
  type SqliteDriver,
  type SqlValue,
  type Statement,
  statement,
} from './driver.js';
import { isDamaged } from './failures.js';
import { DatabaseFile } from './file.js';
import { COUNTER, CREATE_TABLE, EVERYTHING, INVALIDATIONS, TABLE } from './schema.js';

/** Rows of one step, which blocks the event loop with `node:sqlite`. */
const ROWS_AT_ONCE = 100;
/** Rows that are looked for one by one after one that cannot be read; further ones in growing steps. */
const ONE_BY_ONE = 10_000;
/** Larger than any number of a row. */
const LAST_ROW = 2 ** 50;
/** Bytes of a page, and offsets in the first one (https://sqlite.org/fileformat.html#the_database_header). */
const PAGE = 4096;
const [WRITE_VERSION, READ_VERSION, PAGE_COUNT, FREE_LIST] = [18, 19, 28, 32];
const WAL_VERSION = 2;

const ROWS_AFTER = `SELECT rowid AS number, key, value FROM ${TABLE} WHERE rowid > ? ORDER BY rowid LIMIT`;
const INSERT = `INSERT INTO ${TABLE} (key, value) VALUES (?, ?) ON CONFLICT (key) DO NOTHING`;

/**
 * Copies the entries and invalidations of a damaged database that can be read; returns the number of entries.
 *
 * @param from undefined: nothing can be read, or copied
 */
export async function salvage(from: SqliteConnection | undefined, to: SqliteConnection): Promise<number> {
  let copied = 0;
  for await (const rows of from ? readableRows(from) : []) {
    const inserts = rows.flatMap(({ key, value }) => insertOf(key, value));
    copied += inserts.length;
    await to.transaction(() => eachOf(inserts));
    await yieldToEventLoop();
  }
  const invalidations = await invalidationsOf(from);
  await to.transaction(() => eachOf(invalidations));
  return copied;
}

function insertOf(key: unknown, value: unknown): Statement[] {
  const isReadable = typeof key === 'string' && isBytes(value) && parseEntry(key, value).kind !== 'unknown';
  return isReadable ? [statement(INSERT, key, value)] : [];
}

function* eachOf(statements: readonly Statement[]): Generator<Statement, void, readonly Row[]> {
  yield* statements;
}

/** Invalidations as they are; if they cannot be read, all responses that were requested before count as invalidated. */
async function invalidationsOf(from: SqliteConnection | undefined): Promise<Statement[]> {
  try {
    const rows = (await from?.many(`SELECT digest, stamp, at FROM ${INVALIDATIONS}`)) ?? [];
    if (!rows.some(({ digest }) => digest === COUNTER)) throw new Error('the counter is missing');
    const insert = `INSERT OR REPLACE INTO ${INVALIDATIONS} (digest, stamp, at) VALUES (?, ?, ?)`;
    return rows.map(({ digest, stamp, at }) => statement(insert, ...([digest, stamp, at] as SqlValue[])));
  } catch {
    const newest = `SELECT stamp FROM ${INVALIDATIONS} WHERE digest = '${COUNTER}'`;
    return [statement(`UPDATE ${INVALIDATIONS} SET stamp = (${newest}) WHERE digest = '${EVERYTHING}'`)];
  }
}

/** All rows in pages that can be read. */
async function* readableRows(from: SqliteConnection): AsyncGenerator<readonly Row[]> {
  let failures = 0;
  let size = ROWS_AT_ONCE;
  for (let after = 0; after < LAST_ROW; ) {
    try {
      const rows = await from.many(`${ROWS_AFTER} ${size}`, after);
      if (rows.length > 0) yield rows;
      if (rows.length < size) return;
      after = Number(rows.at(-1)?.number);
      failures = 0;
      size = ROWS_AT_ONCE;
    } catch (error) {
      if (!isDamaged(error)) throw error;
      if (size > 1) size = 1;
      else {
        failures += 1;
        after += failures <= ONE_BY_ONE ? 1 : 2 ** (failures - ONE_BY_ONE);
        if (failures % ROWS_AT_ONCE === 0) await yieldToEventLoop();
      }
    }
  }
}

/**
 * Copies a database whose first page is damaged, with a first page that describes the table of entries alone. That table
 * is the first in every file of this package, so that its root is always the same page.
 */
export async function copyWithFirstPage(file: DatabaseFile, copy: DatabaseFile, driver: SqliteDriver): Promise<void> {
  copyFileSync(file.path, copy.path);
  if (existsSync(file.walPath)) copyFileSync(file.walPath, copy.walPath);
  const template = new DatabaseFile(`${copy.path}-page`);
  try {
    const connection = await driver.open({ file: template.path, busyTimeout: 0 });
    try {
      await connection.run('PRAGMA auto_vacuum = 2');
      await connection.run(CREATE_TABLE);
    } finally {
      await connection.close();
    }
    const page = readFileSync(template.path).subarray(0, PAGE);
    page[WRITE_VERSION] = page[READ_VERSION] = WAL_VERSION;
    page.writeUInt32BE(Math.ceil(statSync(copy.path).size / PAGE), PAGE_COUNT);
    page.fill(0, FREE_LIST, FREE_LIST + 8);
    const descriptor = openSync(copy.path, 'r+');
    try {
      writeSync(descriptor, page, 0, PAGE, 0);
    } finally {
      closeSync(descriptor);
    }
  } finally {
    template.remove();
  }
}

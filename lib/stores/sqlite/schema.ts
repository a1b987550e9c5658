import type { EntryQuery } from '../store.js';
import { DIGEST_LENGTH, FIELDS, HEAD_LENGTH, instantField, kindField } from '../stored-form.js';
import { type SqlValue, statement, type Work } from './driver.js';

// The tables of a file, which the drivers and processes share, and the fields of the head as SQL.

/** Entries; the table that @keyv/sqlite 4 creates. A new stored form gets a table of its own. */
export const TABLE = 'responses_v2';
/** Digests of entries with more than one, from the second on. Triggers keep it. */
const DIGESTS = `${TABLE}_digests`;
/** Invalidated digests. Two rows are always there: of {@link EVERYTHING} and of {@link COUNTER}. */
export const INVALIDATIONS = `${TABLE}_invalidations`;
export const EVERYTHING = '';
export const COUNTER = '#';
export const LEASES = 'leases_v2';

/** A field of the head as SQL. It is a BLOB, which is equal to BLOBs alone. */
function column(field: keyof typeof FIELDS, value = 'value'): string {
  const [offset, length] = FIELDS[field];
  return `substr(${value}, ${offset + 1}, ${length})`;
}

function blob(text: string): string {
  return `x'${Buffer.from(text, 'latin1').toString('hex')}'`;
}

const MAGIC = blob('AKC2');
const [VARIANTS, REDIRECT] = [blob(kindField('variants')), blob(kindField('redirect'))];

function number(field: keyof typeof FIELDS, value = 'value'): string {
  return `CAST(CAST(${column(field, value)} AS TEXT) AS INTEGER)`;
}

// Conditions of partial indexes: a query has to repeat them word for word.
const IS_ENTRY = `${column('magic')} = ${MAGIC}`;
const IS_OTHER = `${IS_ENTRY} AND ${column('kind')} IN (${VARIANTS}, ${REDIRECT})`;
const IS_MEMBER = `${IS_ENTRY} AND ${column('group')} <> CAST(key AS BLOB)`;
const HAS_DIGEST = `${IS_ENTRY} AND ${column('indexCount')} > ${blob('000')}`;
const FIRST_DIGEST = `substr(value, ${HEAD_LENGTH + 1}, ${DIGEST_LENGTH - 1})`;

/** Whether a value is an entry of the length that was stored. */
const IS_WHOLE = `(${IS_ENTRY} AND length(value) = ${HEAD_LENGTH} + ${DIGEST_LENGTH} * ${number('indexCount')} + ${number('signatureLength')} + ${number('metaLength')} + ${number('bodyLength')})`;
/** 1 for a row that counts as a response. */
export const COUNTS = `(${IS_OTHER}) IS NOT TRUE`;
export const SUMMARY = `substr(value, 1, ${HEAD_LENGTH} + ${DIGEST_LENGTH} * ${number('indexCount')} + ${number('signatureLength')} + ${number('metaLength')})`;
export const IS_EXPIRED = `${column('staleAt')} BETWEEN ${blob('0')} AND ? AND ${IS_ENTRY}`;
export const COUNT_ALL = `SELECT (SELECT count(*) FROM ${TABLE}) - (SELECT count(*) FROM ${TABLE} WHERE ${IS_OTHER}) AS number`;
/** Keys of the entries with an id, or a group, of a JSON array. */
export const IN_GROUPS = `SELECT key FROM ${TABLE} WHERE key IN (SELECT value FROM json_each(?1))
  UNION SELECT key FROM ${TABLE} WHERE ${IS_MEMBER} AND ${column('group')} IN (SELECT CAST(value AS BLOB) FROM json_each(?1))`;
/** Keys of the entries with a digest. */
const WITH_DIGEST = `SELECT key FROM ${TABLE} WHERE ${HAS_DIGEST} AND ${FIRST_DIGEST} = CAST(? AS BLOB)
  UNION ALL SELECT key FROM ${DIGESTS} WHERE digest = ?`;

/** A redirect never replaces a response or a variant marker. */
const isReplaceable = (value: string) =>
  `${column('kind', value)} <> ${REDIRECT} OR substr(${TABLE}.value, 1, 5) NOT IN (${blob('AKC2r')}, ${blob('AKC2v')})`;

/** Parameters: key and value of each entry, then those of {@link IS_INVALIDATED}. */
export function putStatement(entries: number): string {
  const rows = Array.from({ length: entries }, () => '(?, ?)').join(', ');
  return `INSERT INTO ${TABLE} (key, value) SELECT column1, column2 FROM (VALUES ${rows}) WHERE NOT ${IS_INVALIDATED}
    ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE ${isReplaceable('excluded.value')} RETURNING 1`;
}

/** Replaces a value that begins with certain bytes. Parameters: the new value, the key, the number of bytes, the bytes. */
export const REPLACE = `UPDATE ${TABLE} SET value = ? WHERE key = ? AND substr(value, 1, ?) = ? RETURNING 1`;

/**
 * Whether one of the digests, or everything, was invalidated after an order. Parameters: the order, twice, and the
 * digests as JSON. An order above the counter is of another file: it is older than every invalidation.
 */
export const IS_INVALIDATED = `EXISTS (SELECT 1 FROM ${INVALIDATIONS}
  WHERE stamp > iif(? > (SELECT stamp FROM ${INVALIDATIONS} WHERE digest = '${COUNTER}'), 0, ?) AND digest <> '${COUNTER}'
  AND (digest = '${EVERYTHING}' OR digest IN (SELECT value FROM json_each(?))))`;

const hasMany = (value: string) =>
  `(${column('magic', value)} = ${MAGIC} AND ${column('indexCount', value)} > ${blob('001')})`;

/** The bytes of all digests of a value. */
const allDigests = (value: string) =>
  `substr(${value}, ${HEAD_LENGTH + 1}, ${DIGEST_LENGTH} * ${number('indexCount', value)})`;

/** The digests of a value from the second on, as a table with the column `value`. */
function moreDigests(value: string): string {
  const text = `CAST(substr(${value}, ${HEAD_LENGTH + 1 + DIGEST_LENGTH}, ${DIGEST_LENGTH} * (${number('indexCount', value)} - 1)) AS TEXT)`;
  const json = `'["' || replace(rtrim(${text}, char(10)), char(10), '","') || '"]'`;
  return `json_each(CASE WHEN json_valid(${json}) THEN ${json} ELSE '[]' END)`;
}

const addDigests = `INSERT OR IGNORE INTO ${DIGESTS} (digest, key) SELECT value, new.key FROM ${moreDigests('new.value')} WHERE ${hasMany('new.value')};`;
const removeDigests = `DELETE FROM ${DIGESTS} WHERE ${hasMany('old.value')} AND key = old.key AND digest IN (SELECT value FROM ${moreDigests('old.value')});`;

/**
 * Creates what a file lacks. The counter of a new file begins above those of files that had the path before, so that the
 * order of a request is never above it by chance.
 */
export const createTables: Work<void> = function* () {
  for (const sql of TABLES) yield statement(sql);
  yield statement(
    `INSERT OR IGNORE INTO ${INVALIDATIONS} (digest, stamp, at) VALUES ('${EVERYTHING}', 0, 0), ('${COUNTER}', ?, 0)`,
    Date.now() * 1000,
  );
};

export const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS ${TABLE} (key VARCHAR(255) PRIMARY KEY, value TEXT)`;

const TABLES: readonly string[] = [
  // The first one, since salvage.ts relies on its place in the file.
  CREATE_TABLE,
  `CREATE INDEX IF NOT EXISTS ${TABLE}_stale_at ON ${TABLE} (${column('staleAt')})`,
  `CREATE INDEX IF NOT EXISTS ${TABLE}_group ON ${TABLE} (${column('group')}) WHERE ${IS_MEMBER}`,
  `CREATE INDEX IF NOT EXISTS ${TABLE}_digest ON ${TABLE} (${FIRST_DIGEST}) WHERE ${HAS_DIGEST}`,
  `CREATE INDEX IF NOT EXISTS ${TABLE}_other ON ${TABLE} (${column('kind')}) WHERE ${IS_OTHER}`,
  `CREATE TABLE IF NOT EXISTS ${DIGESTS} (digest TEXT, key TEXT, PRIMARY KEY (digest, key)) WITHOUT ROWID`,
  `CREATE TRIGGER IF NOT EXISTS ${DIGESTS}_added AFTER INSERT ON ${TABLE} WHEN ${hasMany('new.value')}
    BEGIN ${addDigests} END`,
  `CREATE TRIGGER IF NOT EXISTS ${DIGESTS}_replaced AFTER UPDATE OF value ON ${TABLE}
    WHEN (${hasMany('old.value')} OR ${hasMany('new.value')}) AND ${allDigests('old.value')} IS NOT ${allDigests('new.value')} BEGIN ${removeDigests} ${addDigests} END`,
  `CREATE TRIGGER IF NOT EXISTS ${DIGESTS}_removed AFTER DELETE ON ${TABLE} WHEN ${hasMany('old.value')}
    BEGIN ${removeDigests} END`,
  `CREATE TABLE IF NOT EXISTS ${INVALIDATIONS} (digest TEXT PRIMARY KEY, stamp INTEGER, at INTEGER) WITHOUT ROWID`,
  `CREATE INDEX IF NOT EXISTS ${INVALIDATIONS}_stamp ON ${INVALIDATIONS} (stamp)`,
  `CREATE TABLE IF NOT EXISTS ${LEASES} (name TEXT PRIMARY KEY, holder TEXT, seconds REAL, stamp TEXT) WITHOUT ROWID`,
];

/** Each statement creates something else, by the name that follows. */
const NAMES = TABLES.map((sql) => / IF NOT EXISTS (\w+)/.exec(sql)?.[1] ?? '');
/** All of them: another program may have dropped one. */
export const HAS_TABLES = `SELECT 1 WHERE (SELECT count(*) FROM sqlite_master WHERE name IN (${NAMES.map((name) => `'${name}'`).join(', ')})) = ${NAMES.length}`;

/** A query as SQL. */
export interface Conditions {
  readonly where: string;
  readonly parameters: readonly SqlValue[];
  /** Whether an index finds the entries, so that no pass over all of them is needed. */
  readonly isSelective: boolean;
}

export function conditions(query: EntryQuery): Conditions {
  const { kind, group, index, staleBy, freshAt, receivedBefore, receivedAfter } = query;
  const terms = ['1'];
  const parameters: SqlValue[] = [];
  const add = (term: string, ...values: SqlValue[]) => {
    terms.push(term);
    parameters.push(...values);
  };
  const instant = (milliseconds: number) => Buffer.from(instantField(milliseconds));
  if (group !== undefined) {
    const members = `SELECT key FROM ${TABLE} WHERE ${IS_MEMBER} AND ${column('group')} = CAST(? AS BLOB)`;
    add(`key IN (SELECT ? UNION ALL ${members})`, group, group);
  }
  if (index !== undefined) add(`key IN (${WITH_DIGEST})`, index, index);
  if (kind === 'unknown') add(`${IS_WHOLE} IS NOT TRUE`);
  else if (kind !== undefined) add(`${column('kind')} = ${blob(kindField(kind))} AND ${IS_WHOLE}`);
  // An unreadable entry counts as never stale, and as received long ago.
  if (staleBy !== undefined) add(IS_EXPIRED, instant(staleBy));
  if (freshAt !== undefined) add(`(${column('staleAt')} > ? OR (${IS_ENTRY}) IS NOT TRUE)`, instant(freshAt));
  if (receivedBefore !== undefined)
    add(`(${column('receivedAt')} < ? OR (${IS_ENTRY}) IS NOT TRUE)`, instant(receivedBefore));
  if (receivedAfter !== undefined) add(`${column('receivedAt')} > ? AND ${IS_ENTRY}`, instant(receivedAfter));
  return { where: terms.join(' AND '), parameters, isSelective: group !== undefined || index !== undefined };
}

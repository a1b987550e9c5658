import type { EntryQuery } from '../store.js';
import { DIGEST_LENGTH, FIELDS, HEAD_LENGTH, instantField, kindField } from '../stored-form.js';

// The head's fields as SQL: what is indexed, selected and compared of a row's value.

/** A field of the head as SQL; its value is a BLOB, as what it is compared with must be. */
export function column(field: keyof typeof FIELDS): string {
  const [offset, length] = FIELDS[field];
  return `substr(value, ${offset + 1}, ${length})`;
}

function number(field: keyof typeof FIELDS): string {
  return `CAST(CAST(${column(field)} AS TEXT) AS INTEGER)`;
}

export const IS_ROW = `${column('magic')} = x'414b4332'`;
export const COUNTS = `${column('kind')} NOT IN (${blob(kindField('variants'))}, ${blob(kindField('redirect'))})`;
const DIGESTS = `substr(value, ${HEAD_LENGTH + 1}, ${DIGEST_LENGTH} * ${number('indexCount')})`;
export const SUMMARY = `substr(value, 1, ${HEAD_LENGTH} + ${DIGEST_LENGTH} * ${number('indexCount')} + ${number('signatureLength')} + ${number('metaLength')})`;

export function indexes(table: string): string[] {
  return [
    `CREATE INDEX IF NOT EXISTS ${table}_stale_at ON ${table} (${column('staleAt')}, ${column('kind')})`,
    `CREATE INDEX IF NOT EXISTS ${table}_group ON ${table} (${column('group')})`,
  ];
}

function blob(text: string): string {
  return `x'${Buffer.from(text, 'latin1').toString('hex')}'`;
}

/** A query as SQL; head fields are compared as BLOBs. */
export function conditions(query: EntryQuery): { where: string; parameters: unknown[] } {
  const terms: string[] = ['1'];
  const parameters: unknown[] = [];
  const add = (term: string, ...values: (string | Buffer)[]) => {
    terms.push(term);
    parameters.push(...values);
  };
  if (query.kind === 'unknown') add(`NOT (${IS_ROW})`);
  else if (query.kind !== undefined) add(`${column('kind')} = ?`, Buffer.from(kindField(query.kind)));
  if (query.group !== undefined) add(`(key = ? OR ${column('group')} = ?)`, query.group, Buffer.from(query.group));
  if (query.index !== undefined) add(`instr(${DIGESTS}, ?)`, Buffer.from(query.index));
  if (query.staleBy !== undefined) add(`${column('staleAt')} <= ?`, Buffer.from(instantField(query.staleBy)));
  if (query.freshAt !== undefined) add(`${column('staleAt')} > ?`, Buffer.from(instantField(query.freshAt)));
  if (query.receivedBefore !== undefined)
    add(`${column('receivedAt')} < ?`, Buffer.from(instantField(query.receivedBefore)));
  return { where: terms.join(' AND '), parameters };
}

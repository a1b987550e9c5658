import type { Entry, EntryHead, EntryKind, EntrySummary } from '../models/entry.js';

/**
 * The stored form for stores that keep one value for each key: a head of fixed fields in ASCII, at offsets that a store
 * can index without knowing more, then signature, metadata and body as they are.
 */

const MAGIC = 'AKC1';
const KIND_MARKS: Readonly<Record<Exclude<EntryKind, 'unknown'>, string>> = {
  response: 'r',
  variants: 'v',
  redirect: 'd',
};
const KINDS: Readonly<Record<string, EntryKind>> = { r: 'response', v: 'variants', d: 'redirect' };
const PROTECTIONS: Readonly<Record<string, EntryHead['protection']>> = { '-': '', S: 'S', E: 'E', B: 'B' };
const NEVER = '9999999999999';
const NO_URL = '-'.repeat(32);

/** Where each field of the head begins, and how long it is. */
export const FIELDS = {
  magic: [0, 4],
  kind: [4, 1],
  protection: [5, 1],
  receivedAt: [6, 13],
  staleAt: [19, 13],
  url: [32, 32],
  otherUrl: [64, 32],
  group: [96, 64],
  signatureLength: [160, 4],
  metaLength: [164, 9],
} as const satisfies Readonly<Record<string, readonly [offset: number, length: number]>>;

/** A line break ends the head, so that a file in this form reads well. */
export const HEAD_LENGTH = 174;

/** An instant as the head has it: 13 digits, which sort as the numbers do. */
export function instantField(instant: number): string {
  if (instant >= Number(NEVER)) return NEVER;
  return String(Math.max(0, Math.floor(instant))).padStart(13, '0');
}

/** The mark of a kind in the head. */
export function kindField(kind: Exclude<EntryKind, 'unknown'>): string {
  return KIND_MARKS[kind];
}

/** The bytes that a store keeps for an entry. */
export function packRow(entry: Entry): Buffer {
  return Buffer.concat([packSummary(entry), entry.body]);
}

/** The row less its body, for stores that keep the two apart: `parseSummary` reads it. */
export function packSummary(entry: Entry): Buffer {
  if (entry.kind === 'unknown') throw new TypeError('an entry of unknown kind cannot be stored');
  const head = [
    MAGIC,
    KIND_MARKS[entry.kind],
    entry.protection || '-',
    instantField(entry.receivedAt),
    instantField(entry.staleAt),
    entry.urls[0] ?? NO_URL,
    entry.urls[1] ?? NO_URL,
    entry.group,
    String(entry.signature.length).padStart(4, '0'),
    String(entry.meta.byteLength).padStart(9, '0'),
    '\n',
    entry.signature,
  ].join('');
  return Buffer.concat([Buffer.from(head, 'latin1'), entry.meta]);
}

/** The entry in a row; of kind `unknown` where it cannot be read. Never throws; the parts are views of the row. */
export function parseRow(id: string, row: Uint8Array): Entry {
  const bytes = bufferOf(row);
  const summary = parseSummary(id, bytes, bytes.byteLength);
  if (summary.kind === 'unknown') return { ...summary, body: bytes };
  const bodyAt = HEAD_LENGTH + summary.signature.length + summary.meta.byteLength;
  return { ...summary, body: bytes.subarray(bodyAt) };
}

/**
 * The entry without its body, from the beginning of its row.
 *
 * @param size bytes of the whole row
 */
export function parseSummary(id: string, start: Uint8Array, size: number): EntrySummary {
  const bytes = bufferOf(start);
  const head = bytes.toString('latin1', 0, HEAD_LENGTH);
  const kind = KINDS[part(head, 'kind')];
  const protection = PROTECTIONS[part(head, 'protection')];
  const [receivedAt, staleAt] = [part(head, 'receivedAt'), part(head, 'staleAt')];
  const lengths = [part(head, 'signatureLength'), part(head, 'metaLength')] as const;
  const digits = /^\d+$/.test(receivedAt + staleAt + lengths[0] + lengths[1]);
  const whole = head.length === HEAD_LENGTH && head.startsWith(MAGIC) && head.endsWith('\n');
  const [signatureLength, metaLength] = [Number(lengths[0]), Number(lengths[1])];
  const metaAt = HEAD_LENGTH + signatureLength;
  if (!whole || !kind || protection === undefined || !digits || metaAt + metaLength > bytes.byteLength) {
    return unreadable(id, size);
  }
  return {
    id,
    kind,
    protection,
    group: part(head, 'group'),
    receivedAt: Number(receivedAt),
    staleAt: staleAt === NEVER ? Number.POSITIVE_INFINITY : Number(staleAt),
    urls: [part(head, 'url'), part(head, 'otherUrl')].filter((url) => url !== NO_URL),
    size,
    signature: bytes.toString('latin1', HEAD_LENGTH, metaAt),
    meta: bytes.subarray(metaAt, metaAt + metaLength),
  };
}

/** A row that cannot be read, as an entry that can be counted and dropped. */
export function unreadable(id: string, size: number): Entry {
  const empty = Buffer.alloc(0);
  return {
    id,
    kind: 'unknown',
    protection: '',
    group: id,
    receivedAt: 0,
    staleAt: Infinity,
    urls: [],
    size,
    signature: '',
    meta: empty,
    body: empty,
  };
}

/** Bytes of head, signature and metadata, told by the head alone. */
export function summaryLength(head: Uint8Array): number {
  const text = bufferOf(head).toString('latin1', 0, HEAD_LENGTH);
  return HEAD_LENGTH + (Number(part(text, 'signatureLength')) || 0) + (Number(part(text, 'metaLength')) || 0);
}

function part(head: string, field: keyof typeof FIELDS): string {
  const [offset, length] = FIELDS[field];
  return head.slice(offset, offset + length);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

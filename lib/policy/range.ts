import { parseHttpDate } from './http-date.js';
import {
  type Fields,
  field,
  fields,
  newFields,
  type RequestMessage,
  type ResponseMessage,
  type StoredMessage,
} from './messages.js';
import { callerConditions } from './validation.js';

/** A run of bytes, both ends included. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** A Content-Range (RFC 9110 section 14.4); `total` is undefined where the origin does not know. */
interface Part extends Span {
  readonly total: number | undefined;
}

/** A response with its content. */
interface WithBody extends ResponseMessage {
  readonly body: Uint8Array;
}

/** How a stored response answers a range request: what to send of its body. */
export interface RangeAnswer {
  readonly headers: Fields;
  /** Offsets into the stored body: first, and one past the last. */
  readonly from: number;
  readonly to: number;
}

const SINGLE_RANGE = /^bytes=\s*(?:(\d+)-(\d*)|-(\d+))\s*$/i;
const CONTENT_RANGE = /^bytes (\d+)-(\d+)\/(\d+|\*)$/;

/** Whether the request asks for one range of bytes. */
export function isSingleRange({ method, headers }: RequestMessage): boolean {
  return method === 'GET' && SINGLE_RANGE.test(field(headers, 'range') ?? '');
}

/** RFC 9111 section 3.3: whether what is stored holds all that the request asks for. */
export function holds(request: RequestMessage, stored: StoredMessage): boolean {
  const range = rangeOf(request, stored);
  if (range === undefined) return stored.status !== 206;
  // RFC 9110 section 14.2: a range is one of a successful response; others are sent as they are.
  return (stored.status !== 200 && stored.status !== 206) || spanOf(range, stored) !== undefined;
}

/**
 * RFC 9110 section 14.2 and RFC 9111 section 3.4: the part of a stored response, whole or itself a part, that answers a
 * range request; undefined where it is not one, or is not held.
 */
export function answerRange(request: RequestMessage, stored: StoredMessage): RangeAnswer | undefined {
  const range = rangeOf(request, stored);
  const held = heldBy(stored);
  const span = range === undefined || !held ? undefined : spanOf(range, stored);
  if (!held || !span) return undefined;
  const headers = newFields(stored.headers);
  headers['content-range'] = contentRange({ ...span, total: held.total });
  headers['content-length'] = String(span.end - span.start + 1);
  return { headers, from: span.start - held.start, to: span.end - held.start + 1 };
}

/**
 * RFC 9111 section 3.4: the fields that ask for what is missing after a stored first part; undefined where it is none.
 * Without a strong validator the rest can't be joined with it, unless the origin sends the whole.
 */
export function completion(request: RequestMessage, stored: StoredMessage): Fields | undefined {
  const { headers, method } = request;
  if (method !== 'GET' || headers.range !== undefined || callerConditions(request)) return undefined;
  const held = stored.status === 206 ? heldBy(stored) : undefined;
  return held?.start === 0
    ? fields({ range: `bytes=${held.end + 1}-`, 'if-range': strongTag(stored.headers) })
    : undefined;
}

/**
 * RFC 9111 section 3.4: what is to be stored of a 206: joined with the stored response where both have the same strong
 * validator and leave no gap, and a 200 where nothing is missing any more. Undefined where it can't be told which bytes
 * it has.
 */
export function assembled<T extends WithBody>(part: T, stored: WithBody | undefined): T | undefined {
  const added = partOf(part);
  if (!added) return undefined;
  const tag = strongTag(part.headers);
  const held = stored && tag !== undefined && tag === strongTag(stored.headers) ? heldBy(stored) : undefined;
  if (!stored || !held || !adjacent(held, added)) return withPart(part, added, part.headers, part.body);

  const total = added.total ?? held.total;
  const joined = { start: Math.min(held.start, added.start), end: Math.max(held.end, added.end), total };
  const body = new Uint8Array(joined.end - joined.start + 1);
  body.set(stored.body, held.start - joined.start);
  body.set(part.body, added.start - joined.start);
  return withPart(part, joined, { ...stored.headers, ...part.headers }, body);
}

function withPart<T extends WithBody>(response: T, part: Part, source: Fields, body: Uint8Array): T {
  const complete = part.start === 0 && part.end + 1 === part.total;
  const headers = newFields(source);
  headers['content-length'] = String(body.byteLength);
  if (complete) delete headers['content-range'];
  else headers['content-range'] = contentRange(part);
  return { ...response, status: complete ? 200 : 206, headers, body };
}

function adjacent(a: Part, b: Part): boolean {
  const sameTotal = a.total === undefined || b.total === undefined || a.total === b.total;
  return sameTotal && a.start <= b.end + 1 && b.start <= a.end + 1;
}

/** The range that the request asks for, as far as If-Range lets it be sent (RFC 9110 section 13.1.5). */
function rangeOf({ method, headers }: RequestMessage, stored: StoredMessage): string | undefined {
  const range = method === 'GET' ? field(headers, 'range') : undefined;
  const condition = range === undefined ? undefined : field(headers, 'if-range');
  if (condition === undefined) return range;
  if (!condition.includes('"')) return sameDate(condition, stored) ? range : undefined;
  return condition === strongTag(stored.headers) ? range : undefined;
}

function sameDate(date: string, { headers, receivedAt }: StoredMessage): boolean {
  const asked = parseHttpDate(date, receivedAt);
  return asked !== undefined && asked === parseHttpDate(field(headers, 'last-modified') ?? '', receivedAt);
}

function strongTag(headers: Fields): string | undefined {
  const tag = field(headers, 'etag');
  return tag?.startsWith('"') ? tag : undefined;
}

/** The bytes that a range stands for, where all of them are held. */
function spanOf(range: string, stored: StoredMessage): Span | undefined {
  const held = heldBy(stored);
  const span = held && spanWanted(range, held.total);
  return held && span && span.start >= held.start && span.end <= held.end ? span : undefined;
}

function spanWanted(range: string, total: number | undefined): Span | undefined {
  const [, first, last, suffix] = SINGLE_RANGE.exec(range) ?? [];
  const limit = total === undefined ? Number.POSITIVE_INFINITY : total - 1;
  if (suffix !== undefined) {
    // The last so many bytes.
    const start = Math.max(0, limit + 1 - Number(suffix));
    return start <= limit && Number.isFinite(limit) ? { start, end: limit } : undefined;
  }
  if (first === undefined) return undefined;
  const start = Number(first);
  const end = last ? Math.min(Number(last), limit) : limit;
  return start <= end ? { start, end } : undefined;
}

/** What a stored body holds of its representation. */
function heldBy({ status, headers, body }: Pick<StoredMessage, 'status' | 'headers' | 'body'>): Part | undefined {
  const length = body.byteLength;
  if (status === 200) return length === 0 ? undefined : { start: 0, end: length - 1, total: length };
  const part = parseContentRange(headers);
  return part && part.end - part.start + 1 === length ? part : undefined;
}

/**
 * What a 206 brings. Some origins count wrongly: a body that is shorter than its Content-Range, though its framing shows
 * that it is all that was sent, has the bytes from the first position on, and still reaches the end if it was said to.
 */
function partOf({ status, headers, body }: WithBody): Part | undefined {
  const part = status === 206 ? parseContentRange(headers) : undefined;
  const end = part && part.start + body.byteLength - 1;
  if (!part || end === undefined || end < part.start || end > part.end) return undefined;
  if (end === part.end) return part;
  return isFramed(headers, body) ? { start: part.start, end, total: totalOf(part, end) } : undefined;
}

function totalOf(part: Part, end: number): number | undefined {
  return part.total === part.end + 1 ? end + 1 : part.total;
}

/** RFC 9112 section 6.3: whether the end of the body was not just the end of the connection. */
function isFramed(headers: Fields, body: Uint8Array): boolean {
  return headers['transfer-encoding'] !== undefined || field(headers, 'content-length') === String(body.byteLength);
}

function parseContentRange(headers: Fields): Part | undefined {
  const [, first, last, all] = CONTENT_RANGE.exec(field(headers, 'content-range') ?? '') ?? [];
  if (first === undefined || last === undefined) return undefined;
  const [start, end] = [Number(first), Number(last)];
  const total = all === '*' ? undefined : Number(all);
  return start <= end && (total === undefined || end < total) && Number.isSafeInteger(end)
    ? { start, end, total }
    : undefined;
}

function contentRange({ start, end, total }: Part): string {
  return `bytes ${start}-${end}/${total ?? '*'}`;
}

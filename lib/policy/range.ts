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
import { isConditional } from './validation.js';

/** A range of bytes; both ends are inclusive. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** A Content-Range (RFC 9110 section 14.4); `total` is undefined if the origin does not know the complete length. */
interface Part extends Span {
  readonly total: number | undefined;
}

/** A response with its content. */
interface WithBody extends ResponseMessage {
  readonly body: Uint8Array;
}

/** The part of a stored response that answers a range request. */
export interface PartialContent {
  readonly headers: Fields;
  /** Offsets into the stored body: the first byte, and one past the last. */
  readonly from: number;
  readonly to: number;
}

const SINGLE_RANGE = /^bytes=\s*(?:(\d+)-(\d*)|-(\d+))\s*$/i;
const CONTENT_RANGE = /^bytes (\d+)-(\d+)\/(\d+|\*)$/;

/** Returns whether a request asks for a single range of bytes. */
export function isSingleRange({ method, headers }: RequestMessage): boolean {
  return method === 'GET' && SINGLE_RANGE.test(field(headers, 'range') ?? '');
}

/** Returns whether the stored content includes all that a request asks for (RFC 9111 section 3.3). */
export function coversRequest(request: RequestMessage, stored: StoredMessage): boolean {
  const range = rangeOf(request, stored);
  if (range === undefined) return stored.status !== 206;
  // RFC 9110 section 14.2: ranges apply to successful responses; others are sent whole.
  return (stored.status !== 200 && stored.status !== 206) || spanOf(range, stored) !== undefined;
}

/**
 * Returns the part of a stored response, itself whole or partial, that answers a range request (RFC 9110 section 14.2,
 * RFC 9111 section 3.4); undefined for other requests, and if bytes are missing.
 */
export function partialContent(request: RequestMessage, stored: StoredMessage): PartialContent | undefined {
  const range = rangeOf(request, stored);
  const held = storedPart(stored);
  const span = range === undefined || !held ? undefined : spanOf(range, stored);
  if (!held || !span) return undefined;
  const headers = newFields(stored.headers);
  headers['content-range'] = contentRange({ ...span, total: held.total });
  headers['content-length'] = String(span.end - span.start + 1);
  return { headers, from: span.start - held.start, to: span.end - held.start + 1 };
}

/**
 * Returns the fields that request the rest of a stored first part (RFC 9111 section 3.4); undefined if it is not one.
 * Without a strong validator the rest cannot be combined with it, unless the origin sends the whole.
 */
export function missingRange(request: RequestMessage, stored: StoredMessage): Fields | undefined {
  const { headers, method } = request;
  if (method !== 'GET' || headers.range !== undefined || isConditional(request)) return undefined;
  const held = stored.status === 206 ? storedPart(stored) : undefined;
  return held?.start === 0
    ? fields({ range: `bytes=${held.end + 1}-`, 'if-range': strongTag(stored.headers) })
    : undefined;
}

/** A response whose status line and original object follow the form in which it is stored. */
type WithStatusLine = WithBody & { readonly statusText: string; readonly native?: unknown };

/**
 * Returns the form in which a response is stored: a part (206) is combined with the stored response. Undefined if it is
 * unknown which bytes the part has.
 */
export function storableForm<T extends WithStatusLine>(response: T, stored: WithBody | undefined): T | undefined {
  if (response.status !== 206) return response;
  const form = combineParts(response, stored);
  return form?.status === 200 ? { ...form, statusText: 'OK', native: undefined } : form;
}

/** Returns the whole response if a part contains the bytes that the stored response lacks. */
export function completedResponse<T extends WithStatusLine>(response: T, stored: WithBody | undefined): T | undefined {
  const form = storableForm(response, stored);
  return form?.status === 200 ? form : undefined;
}

/**
 * Returns the response to store for a 206 (RFC 9111 section 3.4): combined with the stored response if both have the same
 * strong validator and leave no gap, and a 200 if no byte is missing. Undefined if the length of the body is not that of
 * its Content-Range: such a part is not stored, since the missing bytes may be anywhere.
 */
export function combineParts<T extends WithBody>(part: T, stored: WithBody | undefined): T | undefined {
  const added = part.status === 206 ? storedPart(part) : undefined;
  if (!added) return undefined;
  const tag = strongTag(part.headers);
  const held = stored && tag !== undefined && tag === strongTag(stored.headers) ? storedPart(stored) : undefined;
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

/** Returns the range of a request; undefined if its If-Range does not match (RFC 9110 section 13.1.5). */
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

/** Returns the bytes of a range; undefined unless all of them are stored. */
function spanOf(range: string, stored: StoredMessage): Span | undefined {
  const held = storedPart(stored);
  const span = held && requestedSpan(range, held.total);
  return held && span && span.start >= held.start && span.end <= held.end ? span : undefined;
}

function requestedSpan(range: string, total: number | undefined): Span | undefined {
  const [, first, last, suffix] = SINGLE_RANGE.exec(range) ?? [];
  const limit = total === undefined ? Number.POSITIVE_INFINITY : total - 1;
  if (suffix !== undefined) {
    // A suffix range: the last bytes.
    const start = Math.max(0, limit + 1 - Number(suffix));
    return start <= limit && Number.isFinite(limit) ? { start, end: limit } : undefined;
  }
  if (first === undefined) return undefined;
  const start = Number(first);
  const end = last ? Math.min(Number(last), limit) : limit;
  return start <= end ? { start, end } : undefined;
}

/** Returns the part of the representation that a body contains; undefined if it is not as long as its Content-Range. */
function storedPart({ status, headers, body }: Pick<StoredMessage, 'status' | 'headers' | 'body'>): Part | undefined {
  const length = body.byteLength;
  if (status === 200) return length === 0 ? undefined : { start: 0, end: length - 1, total: length };
  const part = parseContentRange(headers);
  return part && part.end - part.start + 1 === length ? part : undefined;
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

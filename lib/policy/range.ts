import { parseHttpDate } from './http-date.js';
import { type Fields, field, newFields, type RequestMessage, type ResponseMessage } from './messages.js';

/** A run of bytes, both ends included. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** A Content-Range (RFC 9110 section 14.4); `total` is undefined where the origin does not know. */
interface Part extends Span {
  readonly total: number | undefined;
}

/** How a stored response answers a range request: what to send of its body. */
export interface RangeAnswer {
  readonly headers: Fields;
  /** Offsets into the stored body: first, and one past the last. */
  readonly from: number;
  readonly to: number;
}

const SINGLE_RANGE = /^bytes=\s*(\d*)-(\d*)\s*$/i;

/** Whether the request asks for one range of bytes. */
export function isSingleRange({ method, headers }: RequestMessage): boolean {
  return method === 'GET' && SINGLE_RANGE.test(field(headers, 'range') ?? '');
}

/**
 * RFC 9110 section 14.2 and RFC 9111 section 3.4: the part of a stored response, whole or itself a part, that answers a
 * range request; undefined where it can't.
 *
 * @param length bytes of the stored body
 */
export function answerRange(request: RequestMessage, stored: ResponseMessage, length: number): RangeAnswer | undefined {
  if (stored.status !== 200 && stored.status !== 206) return undefined;
  const held = heldBy(stored, length);
  const span = held && spanWanted(field(request.headers, 'range') ?? '', held.total);
  if (!held || !span || span.start < held.start || span.end > held.end) return undefined;
  const headers = newFields(stored.headers);
  headers['content-range'] = `bytes ${span.start}-${span.end}/${held.total ?? '*'}`;
  headers['content-length'] = String(span.end - span.start + 1);
  return { headers, from: span.start - held.start, to: span.end - held.start + 1 };
}

/** RFC 9110 section 13.1.5: whether If-Range lets the range of the stored response be sent; otherwise it is the whole. */
export function rangeApplies(request: RequestMessage, stored: ResponseMessage): boolean {
  const condition = field(request.headers, 'if-range');
  if (condition === undefined) return true;
  if (condition.startsWith('"')) return condition === field(stored.headers, 'etag');
  const [asked, modified] = [condition, field(stored.headers, 'last-modified') ?? ''].map((date) =>
    parseHttpDate(date, 0),
  );
  return asked !== undefined && asked === modified;
}

/** What a stored body holds of its representation. */
function heldBy(stored: ResponseMessage, length: number): Part | undefined {
  if (stored.status === 200) return length === 0 ? undefined : { start: 0, end: length - 1, total: length };
  const part = partOf(stored.headers);
  return part && part.end - part.start + 1 === length ? part : undefined;
}

function spanWanted(range: string, total: number | undefined): Span | undefined {
  const match = SINGLE_RANGE.exec(range);
  if (!match) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '') {
    // A suffix: the last so many bytes.
    const count = Number(last);
    if (last === '' || count === 0 || total === undefined) return undefined;
    return { start: Math.max(0, total - count), end: total - 1 };
  }
  const start = Number(first);
  const limit = total === undefined ? Number.POSITIVE_INFINITY : total - 1;
  const end = last === '' ? limit : Math.min(Number(last), limit);
  return start <= end && Number.isSafeInteger(end) ? { start, end } : undefined;
}

function partOf(headers: Fields): Part | undefined {
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(field(headers, 'content-range') ?? '');
  if (!match) return undefined;
  const part = {
    start: Number(match[1]),
    end: Number(match[2]),
    total: match[3] === '*' ? undefined : Number(match[3]),
  };
  return part.start <= part.end ? part : undefined;
}

/** Two parts of one representation as one. */
export interface Combined {
  /** 200 where nothing is missing any more. */
  readonly status: 200 | 206;
  readonly headers: Fields;
  readonly body: Uint8Array;
}

/**
 * RFC 9111 section 3.4: a new part joined with what is stored, where both have the same strong validator and leave no
 * gap; undefined where they can't be joined.
 */
export function combineParts(
  stored: ResponseMessage & { readonly body: Uint8Array },
  part: ResponseMessage & { readonly body: Uint8Array },
): Combined | undefined {
  const etag = field(part.headers, 'etag');
  if (etag === undefined || !etag.startsWith('"') || etag !== field(stored.headers, 'etag')) return undefined;
  const [old, added] = [heldBy(stored, stored.body.byteLength), heldBy(part, part.body.byteLength)];
  if (!old || !added || added.start > old.end + 1 || old.start > added.end + 1) return undefined;
  const total = added.total ?? old.total;
  const start = Math.min(old.start, added.start);
  const end = Math.max(old.end, added.end);
  const body = new Uint8Array(end - start + 1);
  body.set(stored.body, old.start - start);
  body.set(part.body, added.start - start);
  const complete = start === 0 && end + 1 === total;
  const headers = Object.assign(newFields(stored.headers), part.headers);
  headers['content-length'] = String(body.byteLength);
  if (complete) delete headers['content-range'];
  else headers['content-range'] = `bytes ${start}-${end}/${total ?? '*'}`;
  return { status: complete ? 200 : 206, headers, body };
}

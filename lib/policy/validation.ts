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

/** RFC 9110 section 13.1, with Range's own. */
const CONDITIONS = ['if-none-match', 'if-modified-since', 'if-match', 'if-unmodified-since', 'if-range'] as const;

/**
 * RFC 9111 section 3.2: a 304 leaves these as they are stored, since they describe the stored body or one message alone.
 */
const KEPT_ON_FRESHENING: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-length',
  'content-range',
  'transfer-encoding',
]);

/** RFC 9111 section 4.3.1: the fields that ask the origin to confirm a stored response; undefined without a validator. */
export function validators({ headers }: ResponseMessage): Fields | undefined {
  const { etag } = headers;
  const modified = headers['last-modified'];
  const conditions = {
    ...(typeof etag === 'string' && etag !== '' ? { 'if-none-match': etag } : {}),
    ...(typeof modified === 'string' && modified !== '' ? { 'if-modified-since': modified } : {}),
  };
  return Object.keys(conditions).length === 0 ? undefined : fields(conditions);
}

/** Whether the caller makes its request conditional itself. */
export function callerConditions({ headers }: RequestMessage): boolean {
  for (const name of CONDITIONS) if (headers[name] !== undefined) return true;
  return false;
}

/**
 * RFC 9111 section 4.3.1: the fields to ask for a confirmation of a stored response with, the caller's own entity tags
 * among them; undefined where there is no validator, or where a 304 could speak of the caller's response alone.
 */
export function conditionsFor(request: RequestMessage, stored: ResponseMessage): Fields | undefined {
  const conditions = validators(stored);
  const tags = field(request.headers, 'if-none-match');
  if (!conditions || tags === undefined) return conditions;
  const tag = conditions['if-none-match'];
  return tag === undefined ? undefined : fields({ ...conditions, 'if-none-match': `${tags}, ${tag}` });
}

/** RFC 9111 section 4.3.2: whether the stored response answers the caller's own conditions with 304. */
export function answersCaller(request: RequestMessage, stored: StoredMessage): boolean {
  if (stored.status !== 200 && stored.status !== 206) return false;
  if (request.method !== 'GET' && request.method !== 'HEAD') return false;
  const tags = field(request.headers, 'if-none-match');
  if (tags !== undefined) return tags.trim() === '*' || listsTag(tags, field(stored.headers, 'etag'));
  const since = field(request.headers, 'if-modified-since');
  const sinceAt = since === undefined ? undefined : parseHttpDate(since, stored.receivedAt);
  return sinceAt !== undefined && modifiedAt(stored) <= sinceAt;
}

/** Without Last-Modified, the date of the response stands in for it. */
function modifiedAt({ headers, receivedAt }: StoredMessage): number {
  const modified = field(headers, 'last-modified') ?? field(headers, 'date');
  return (modified === undefined ? undefined : parseHttpDate(modified, receivedAt)) ?? receivedAt;
}

/** RFC 9110 section 8.8.3.2, weak comparison with each tag of a list. */
function listsTag(list: string, tag: string | undefined): boolean {
  if (tag === undefined) return false;
  const opaque = opaqueTag(tag);
  return (list.match(/(?:W\/)?"[^"]*"|[^\s,"]+/g) ?? []).some((listed) => opaqueTag(listed) === opaque);
}

function opaqueTag(tag: string): string {
  return tag.trim().replace(/^W\//, '');
}

/**
 * RFC 9111 section 4.3.4: whether a 304 speaks of the stored response. One without an entity tag answers the conditions
 * that it was asked with; those are ours alone only where the caller has no entity tags of its own.
 */
export function confirms(request: RequestMessage, stored: ResponseMessage, confirmation: ResponseMessage): boolean {
  const theirs = field(confirmation.headers, 'etag');
  if (theirs === undefined) return request.headers['if-none-match'] === undefined;
  const mine = field(stored.headers, 'etag');
  return mine === undefined || opaqueTag(mine) === opaqueTag(theirs);
}

/** RFC 9111 sections 3.2 and 4.3.4: the stored fields, updated by those of a 304 or of a HEAD's answer. */
export function freshen(stored: Fields, update: Fields): Fields {
  const merged = newFields(stored);
  // An Age that is not repeated no longer holds.
  delete merged.age;
  // RFC 9110 section 6.6.1: without a Date it is of the time when it was received, not of the time of the stored one.
  if (update.date === undefined) delete merged.date;
  for (const name in update) {
    const value = update[name];
    if (value !== undefined && !KEPT_ON_FRESHENING.has(name)) merged[name] = value;
  }
  return merged;
}

/** RFC 9111 section 4.3.5: whether a HEAD's answer describes the stored response; otherwise that is out of date. */
export function headMatches(stored: ResponseMessage, head: ResponseMessage): boolean {
  return ['etag', 'last-modified', 'content-length'].every((name) => {
    const [before, now] = [field(stored.headers, name), field(head.headers, name)];
    return before === undefined || now === undefined || before === now;
  });
}

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
import { isReading } from './methods.js';

/** RFC 9110 section 13.1, and If-Range. */
const CONDITIONS = ['if-none-match', 'if-modified-since', 'if-match', 'if-unmodified-since', 'if-range'] as const;

/** RFC 9111 section 3.2: a 304 does not update these, since they describe the stored body or a single message. */
const KEPT_ON_FRESHENING: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-length',
  'content-range',
  'transfer-encoding',
]);

/** Returns the fields that validate a stored response (RFC 9111 section 4.3.1); undefined if it has no validator. */
export function validators({ headers }: ResponseMessage): Fields | undefined {
  const { etag } = headers;
  const modified = headers['last-modified'];
  const conditions = {
    ...(typeof etag === 'string' && etag !== '' ? { 'if-none-match': etag } : {}),
    ...(typeof modified === 'string' && modified !== '' ? { 'if-modified-since': modified } : {}),
  };
  return Object.keys(conditions).length === 0 ? undefined : fields(conditions);
}

/** Returns whether the caller made its request conditional itself. */
export function isConditional({ headers }: RequestMessage): boolean {
  for (const name of CONDITIONS) if (headers[name] !== undefined) return true;
  return false;
}

/**
 * Returns whether an error may be due to fields that the cache added to a request: 412 to a condition, 416 to a range. The
 * request is then repeated once without them; otherwise every later request would fail in the same way.
 *
 * @param added the fields that the cache added; undefined if it added none
 */
export function refusesAddedFields(added: Fields | undefined, status: number): boolean {
  if (added === undefined) return false;
  if (status === 412) return CONDITIONS.some((name) => added[name] !== undefined);
  return status === 416 && added.range !== undefined;
}

/**
 * Returns the fields that validate a stored response on behalf of a request, together with the caller's own entity tags
 * (RFC 9111 section 4.3.1). Undefined without a validator, and if a 304 could refer to the caller's response only.
 */
export function conditionsFor(request: RequestMessage, stored: ResponseMessage): Fields | undefined {
  const conditions = validators(stored);
  const tags = field(request.headers, 'if-none-match');
  if (!conditions || tags === undefined) return conditions;
  const tag = conditions['if-none-match'];
  // No list of tags contains `*`, which means any response.
  return tag === undefined || tags.trim() === '*'
    ? undefined
    : fields({ ...conditions, 'if-none-match': `${tags}, ${tag}` });
}

/**
 * Returns whether the stored response answers the caller's own conditions with 304 (RFC 9111 section 4.3.2; for QUERY
 * RFC 10008 section 2.6).
 */
export function isNotModified(request: RequestMessage, stored: StoredMessage): boolean {
  if (stored.status !== 200 && stored.status !== 206) return false;
  // RFC 9110 section 13.2.1 and RFC 10008 section 2.6.
  if (!isReading(request.method)) return false;
  const tags = field(request.headers, 'if-none-match');
  if (tags !== undefined) return tags.trim() === '*' || listsTag(tags, field(stored.headers, 'etag'));
  const since = field(request.headers, 'if-modified-since');
  const sinceAt = since === undefined ? undefined : parseHttpDate(since, stored.receivedAt);
  return sinceAt !== undefined && modifiedAt(stored) <= sinceAt;
}

/** The time of modification; without Last-Modified, the Date of the response (RFC 9111 section 4.3.2). */
function modifiedAt({ headers, receivedAt }: StoredMessage): number {
  const modified = field(headers, 'last-modified') ?? field(headers, 'date');
  return (modified === undefined ? undefined : parseHttpDate(modified, receivedAt)) ?? receivedAt;
}

/** Returns whether a list contains an entity tag, by weak comparison (RFC 9110 section 8.8.3.2). */
function listsTag(list: string, tag: string | undefined): boolean {
  if (tag === undefined) return false;
  const opaque = opaqueTag(tag);
  return (list.match(/(?:W\/)?"[^"]*"|[^\s,"]+/g) ?? []).some((listed) => opaqueTag(listed) === opaque);
}

function opaqueTag(tag: string): string {
  return tag.trim().replace(/^W\//, '');
}

/**
 * Returns whether a 304 validates the stored response (RFC 9111 section 4.3.4). One without an entity tag refers to the
 * conditions of its request, which are the cache's own only if the caller sent no entity tags.
 */
export function validates(request: RequestMessage, stored: ResponseMessage, notModified: ResponseMessage): boolean {
  const received = field(notModified.headers, 'etag');
  if (received === undefined) return request.headers['if-none-match'] === undefined;
  const own = field(stored.headers, 'etag');
  return own === undefined || opaqueTag(own) === opaqueTag(received);
}

/** Returns the stored fields, updated by those of a 304 or of a response to HEAD (RFC 9111 sections 3.2 and 4.3.4). */
export function freshen(stored: Fields, update: Fields): Fields {
  const merged = newFields(stored);
  // The stored Age describes the old message.
  delete merged.age;
  // RFC 9110 section 6.6.1: a message without Date has the time of its receipt, not that of the stored response.
  if (update.date === undefined) delete merged.date;
  for (const name in update) {
    const value = update[name];
    if (value !== undefined && !KEPT_ON_FRESHENING.has(name)) merged[name] = value;
  }
  return merged;
}

/** Returns whether a response to HEAD describes the stored response; if not, that is stale (RFC 9111 section 4.3.5). */
export function matchesHead(stored: ResponseMessage, head: ResponseMessage): boolean {
  return ['etag', 'last-modified', 'content-length'].every((name) => {
    const [before, now] = [field(stored.headers, name), field(head.headers, name)];
    return before === undefined || now === undefined || before === now;
  });
}

import type { Fields, RequestMessage, ResponseMessage } from './messages.js';
import { isSafe } from './methods.js';
import { parseStringList } from './structured-fields.js';

/** RFC 9875 section 2 requires 32 groups of 32 characters at least. */
const MAX_GROUPS = 128;
const MAX_GROUP_LENGTH = 256;

/** Groups of one origin. */
export interface OriginGroups {
  /** Scheme, host and port: equal names of different origins are different groups (RFC 9875 section 2.1). */
  readonly origin: string;
  /** Case-sensitive, each once. */
  readonly groups: readonly string[];
}

/**
 * Returns the groups of a response by Cache-Groups (RFC 9875 section 2), each once; `'too-many'` if the field exceeds
 * 128 groups of 256 characters: such a response is not stored, since its groups could not invalidate it.
 */
export function cacheGroups(headers: Fields): readonly string[] | 'too-many' {
  const groups = groupsIn(headers, 'cache-groups');
  const exceeds = groups.length > MAX_GROUPS || groups.some((group) => group.length > MAX_GROUP_LENGTH);
  return exceeds ? 'too-many' : groups;
}

/**
 * Returns the groups that a response invalidates by Cache-Group-Invalidation (RFC 9875 section 3): undefined for a safe
 * method, for an error, and without a valid field.
 *
 * Call it for each hop of a redirect chain, with the method and URL of that hop.
 *
 * @param request.method upper case; undefined if it is not known, as after redirects in the fetch adapter
 */
export function groupsInvalidatedBy(
  request: Pick<RequestMessage, 'url'> & { readonly method: string | undefined },
  response: ResponseMessage,
): OriginGroups | undefined {
  if (request.method === undefined || isSafe(request.method)) return undefined;
  if (response.status < 200 || response.status >= 400) return undefined;
  const groups = groupsIn(response.headers, 'cache-group-invalidation');
  return groups.length === 0 ? undefined : { origin: new URL(request.url).origin, groups };
}

function groupsIn(headers: Fields, name: 'cache-groups' | 'cache-group-invalidation'): readonly string[] {
  const value = headers[name];
  return value === undefined ? [] : [...new Set(parseStringList(value))];
}

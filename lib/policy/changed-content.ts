import { type Fields, field, newFields } from './messages.js';

/** Fields that describe other content: validators (RFC 9110 section 8.8), digests (RFC 9530), and the range of a part. */
const OF_FORMER_CONTENT = [
  'etag',
  'last-modified',
  'content-md5',
  'digest',
  'content-digest',
  'repr-digest',
  'content-range',
] as const;
const JSON_TYPE = /^[^;]*[/+]json\b/i;

/** How a response's content was replaced: by text, by JSON, or by bytes in the form that the fields describe. */
export type ContentKind = 'text' | 'json' | 'bytes';

/**
 * Returns a response's fields after its content was replaced: without those that describe the former content, so that no
 * 304 confirms the new one.
 *
 * @param length bytes of the new content
 */
export function changedContentFields(headers: Fields, kind: ContentKind, length: number): Fields {
  const changed = newFields(headers);
  for (const name of OF_FORMER_CONTENT) delete changed[name];
  if (changed['content-length'] !== undefined) changed['content-length'] = String(length);
  // Bytes may be compressed as the former ones were.
  if (kind !== 'bytes') delete changed['content-encoding'];
  const type = field(headers, 'content-type');
  if (kind === 'json' && (type === undefined || !JSON_TYPE.test(type))) changed['content-type'] = 'application/json';
  return changed;
}

/** Returns whether a response has content that can be replaced: not one to HEAD, without content, or with a part alone. */
export function hasWholeContent(method: string, status: number): boolean {
  return method !== 'HEAD' && status !== 204 && status !== 205 && status !== 206 && status !== 304;
}

import { optionError } from '../errors.js';

const MAX_TAGS = 128;
const MAX_TAG_LENGTH = 256;
const ACCEPTED =
  'up to 128 strings of 1 to 256 characters, without "*", control characters and unpaired surrogates; case counts';

/**
 * Parses tags: a string, or a list of strings.
 *
 * @param option the name of the option, for the error
 * @returns each tag once, in the given order
 * @throws TypeError for any other value
 */
export function parseTags(value: unknown, option: string): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const wrong = list.findIndex((tag) => !isTag(tag));
  if (wrong !== -1) throw optionError(Array.isArray(value) ? `${option}[${wrong}]` : option, list[wrong], ACCEPTED);
  return combineTags([list as readonly string[]], option);
}

/**
 * Combines lists of tags, such as those of an instance and of a request.
 *
 * @throws TypeError for more than 128 tags
 */
export function combineTags(lists: readonly (readonly string[])[], option: string): readonly string[] {
  const tags = [...new Set(lists.flat())];
  if (tags.length > MAX_TAGS) throw optionError(option, `${tags.length} tags`, ACCEPTED);
  return tags;
}

/** A tag with `*` would look like a pattern, and text with an unpaired surrogate has no digest of its own. */
function isTag(value: unknown): value is string {
  if (typeof value !== 'string' || value === '' || /[*\p{Cc}\p{Surrogate}]/u.test(value)) return false;
  return value.length <= MAX_TAG_LENGTH || [...value].length <= MAX_TAG_LENGTH;
}

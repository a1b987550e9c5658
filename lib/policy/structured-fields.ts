import { isInnerList, isValidTokenStr, parseDictionary, parseList, serializeString, Token } from 'structured-headers';
import type { FieldValue } from './messages.js';

// The only file that imports the parser of Structured Fields (RFC 9651): a field that cannot be parsed counts as absent,
// hence nothing here throws.

/** A member of a Dictionary: its value without parameters. Inner Lists, and types that no rule uses, are `other`. */
export type DictionaryMember =
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'integer'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'token'; readonly value: string }
  | { readonly type: 'other' };

/**
 * Returns the members of a Dictionary; undefined if the field cannot be parsed.
 *
 * @param value the field's lines, which are joined first: one invalid line makes the whole field invalid (RFC 9651 section 4.2)
 */
export function parseDictionaryField(value: FieldValue): ReadonlyMap<string, DictionaryMember> | undefined {
  try {
    const members = new Map<string, DictionaryMember>();
    for (const [name, member] of parseDictionary(joined(value))) {
      members.set(name, isInnerList(member) ? { type: 'other' } : memberOf(member[0]));
    }
    return members;
  } catch {
    return undefined;
  }
}

function memberOf(value: unknown): DictionaryMember {
  if (typeof value === 'boolean') return { type: 'boolean', value };
  if (typeof value === 'number' && Number.isInteger(value)) return { type: 'integer', value };
  if (typeof value === 'string') return { type: 'string', value };
  return value instanceof Token ? { type: 'token', value: value.toString() } : { type: 'other' };
}

/** Returns the members of a List of Strings; undefined if it cannot be parsed, or a member has another type. */
export function parseStringList(value: FieldValue): readonly string[] | undefined {
  try {
    const strings: string[] = [];
    for (const member of parseList(joined(value))) {
      if (typeof member[0] !== 'string') return undefined;
      strings.push(member[0]);
    }
    return strings;
  } catch {
    return undefined;
  }
}

function joined(value: FieldValue): string {
  return typeof value === 'string' ? value : value.join(', ');
}

/** Returns free text as a Token if it is one, else as a String; characters that neither allows become `?`. */
export function serializeTokenOrString(text: string): string {
  return isValidTokenStr(text) ? text : serializeString(text.replace(/[^\x20-\x7e]/g, '?'));
}

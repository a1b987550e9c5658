import { type Directives, directivesOf } from './cache-control.js';
import type { Fields } from './messages.js';
import type { Rules } from './rules.js';
import { type DictionaryMember, parseDictionaryField } from './structured-fields.js';

/** The directives by which a cache handles a response. */
export interface ResponseDirectives {
  readonly directives: Directives;
  /** Expires counts: no targeted field has taken the place of Cache-Control and Expires. */
  readonly usesExpires: boolean;
}

/** Directives with delta-seconds. */
const WITH_SECONDS: ReadonlySet<string> = new Set(['max-age', 's-maxage', 'stale-while-revalidate', 'stale-if-error']);
/** Directives with a list of field names, or without an argument. */
const WITH_FIELD_NAMES: ReadonlySet<string> = new Set(['no-cache', 'private']);
/** Directives without an argument. */
const WITHOUT_ARGUMENT: ReadonlySet<string> = new Set([
  'no-store',
  'no-transform',
  'must-revalidate',
  'proxy-revalidate',
  'must-understand',
  'public',
  'immutable',
]);

const memo = new WeakMap<Fields, { readonly names: readonly string[]; readonly found: ResponseDirectives }>();

/**
 * Returns the effective directives of a response: those of the first targeted field that is valid and not empty
 * (RFC 9213 section 2.2), else those of Cache-Control. Parsed once for each headers object.
 */
export function responseDirectives(
  headers: Fields,
  { targetedFields }: Pick<Rules, 'targetedFields'>,
): ResponseDirectives {
  const known = memo.get(headers);
  if (known?.names === targetedFields) return known.found;
  const targeted = targetedFields.length === 0 ? undefined : firstTargeted(headers, targetedFields);
  const found = targeted
    ? { directives: targeted, usesExpires: false }
    : { directives: directivesOf(headers), usesExpires: true };
  memo.set(headers, { names: targetedFields, found });
  return found;
}

function firstTargeted(headers: Fields, names: readonly string[]): Directives | undefined {
  for (const name of names) {
    const value = headers[name];
    const members = value === undefined ? undefined : parseDictionaryField(value);
    const directives = members && members.size > 0 ? directivesIn(members) : undefined;
    if (directives) return directives;
  }
  return undefined;
}

/**
 * RFC 9213 section 2.1: the members as directives; undefined if a known directive has a value of another type, since
 * other caches would read it in another way.
 */
function directivesIn(members: ReadonlyMap<string, DictionaryMember>): Directives | undefined {
  const directives = new Map<string, string | null>();
  for (const [name, member] of members) {
    const argument = argumentOf(name, member);
    if (argument === undefined) return undefined;
    directives.set(name, argument);
  }
  return directives;
}

/** Returns the argument of a directive, `null` for none, `undefined` for a value of a wrong type. */
function argumentOf(name: string, member: DictionaryMember): string | null | undefined {
  if (WITH_SECONDS.has(name)) return member.type === 'integer' && member.value >= 0 ? String(member.value) : undefined;
  if (WITHOUT_ARGUMENT.has(name)) return isTrue(member) ? null : undefined;
  if (WITH_FIELD_NAMES.has(name)) return member.type === 'string' ? member.value : isTrue(member) ? null : undefined;
  // An unknown directive is ignored (RFC 9111 section 5.2.3), whatever its type.
  return null;
}

function isTrue(member: DictionaryMember): boolean {
  return member.type === 'boolean' && member.value;
}

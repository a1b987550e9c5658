import { sha256 } from '../digest.js';
import { type Fields, field } from './messages.js';

/** Fields whose lists have weights, and whose members are equal whatever their case. */
const WEIGHTED: ReadonlySet<string> = new Set(['accept', 'accept-charset', 'accept-encoding', 'accept-language']);
/** 32 hex digits. */
const DIGEST_LENGTH = 32;

/**
 * RFC 9111 section 4.1: the names in Vary that count, in lower case and sorted; `'*'` where no request ever matches.
 *
 * @param counts whether a field takes part; what the key leaves out, or has in another form, does not
 */
export function varyNames(headers: Fields, counts: (name: string) => boolean): readonly string[] | '*' {
  const vary = field(headers, 'vary');
  if (vary === undefined) return [];
  const names = vary.split(',').map((name) => name.trim().toLowerCase());
  if (names.includes('*')) return '*';
  return [...new Set(names.filter((name) => name !== '' && counts(name)))].sort();
}

/** A digest of what a request has for these names (32 hex digits); an absent field is a value of its own. */
export function variantOf(names: readonly string[], requestHeaders: Fields): string {
  const values = names.map((name) => [name, normalized(name, field(requestHeaders, name))]);
  return sha256(JSON.stringify(values)).slice(0, DIGEST_LENGTH);
}

/** RFC 9111 section 4.1: differences that mean nothing in the field's grammar do not count. */
function normalized(name: string, value: string | undefined): string | null {
  if (value === undefined) return null;
  const members = value.split(',').map((member) => member.trim());
  if (!WEIGHTED.has(name)) return members.join(',');
  return members
    .filter((member) => member !== '')
    .map(weightedMember)
    .sort()
    .join(',');
}

/** `EN ; q=0.50` is `en;q=0.5`, and a weight of 1 goes without saying (RFC 9110 section 12.4.2). */
function weightedMember(member: string): string {
  return member
    .toLowerCase()
    .split(';')
    .map((part) => part.trim().replace(/^q\s*=\s*([\d.]+)$/, (_, weight) => `q=${Number(weight)}`))
    .filter((part) => part !== 'q=1')
    .join(';');
}

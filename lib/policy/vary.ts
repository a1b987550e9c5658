import { sha256 } from '../platform/digest.js';
import { type Fields, field, newFields } from './messages.js';

const LANGUAGE = 'accept-language';
/** Fields with weighted lists, whose members are compared case-insensitively. */
const WEIGHTED: ReadonlySet<string> = new Set(['accept', 'accept-charset', 'accept-encoding', LANGUAGE]);
/** Hex digits. */
const DIGEST_LENGTH = 32;

/**
 * Returns the field names in Vary that count, in lower case and sorted; `'*'` if no request ever matches (RFC 9111
 * section 4.1).
 *
 * @param counts whether a field takes part; fields that the key leaves out, or has in another form, do not
 */
export function varyNames(headers: Fields, counts: (name: string) => boolean): readonly string[] | '*' {
  const vary = field(headers, 'vary');
  if (vary === undefined) return [];
  const names = vary.split(',').map((name) => name.trim().toLowerCase());
  if (names.includes('*')) return '*';
  return [...new Set(names.filter((name) => name !== '' && counts(name)))].sort();
}

/** As {@link varyNames}, for the last response of a redirect chain: the fields that select a redirect select its target too. */
export function varyNamesOfChain(
  headers: Fields,
  hops: readonly { readonly headers: Fields }[],
  counts: (name: string) => boolean,
): readonly string[] | '*' {
  const own = varyNames(headers, counts);
  if (hops.length === 0 || own === '*') return own;
  const names = new Set(own);
  for (const hop of hops) {
    const ofHop = varyNames(hop.headers, counts);
    if (ofHop === '*') return '*';
    for (const name of ofHop) names.add(name);
  }
  return [...names].sort();
}

/**
 * Returns a digest of the request's values of these fields, as 32 hex digits; `''` for no fields. An absent field differs
 * from an empty one.
 */
export function variantOf(names: readonly string[], requestHeaders: Fields): string {
  if (names.length === 0) return '';
  const values = names.map((name) => [name, normalized(name, field(requestHeaders, name))]);
  return sha256(JSON.stringify(values)).slice(0, DIGEST_LENGTH);
}

/** Returns whether a stored response was selected by these fields, as {@link varyNames} returns them. */
export function isSelectedBy({ vary }: Pick<StoredVariant, 'vary'>, names: readonly string[] | '*'): boolean {
  return names !== '*' && names.join() === vary.join();
}

/** A stored response with the request fields that selected it. */
export interface StoredVariant {
  /** The names of {@link varyNames}. */
  readonly vary: readonly string[];
  /** The digest of {@link variantOf}. */
  readonly variant: string;
  readonly headers: Fields;
  readonly request: { readonly headers: Fields };
}

/**
 * Returns whether a stored response matches a request with these fields (RFC 9111 section 4.1): the fields in Vary are
 * equal, or the language of the response is the only one that the request prefers most.
 */
export function matchesVary(stored: StoredVariant, requestHeaders: Fields): boolean {
  const { vary, variant, headers, request } = stored;
  if (variantOf(vary, requestHeaders) === variant) return true;
  const language = field(headers, 'content-language')?.trim().toLowerCase();
  if (language === undefined || !vary.includes(LANGUAGE)) return false;
  if (preferredLanguage(field(requestHeaders, LANGUAGE)) !== language) return false;
  const asked = newFields(requestHeaders);
  delete asked[LANGUAGE];
  if (request.headers[LANGUAGE] !== undefined) asked[LANGUAGE] = request.headers[LANGUAGE];
  return variantOf(vary, asked) === variant;
}

/** Returns the only language with the greatest weight (RFC 9110 section 12.5.4); undefined if there is none. */
function preferredLanguage(acceptLanguage: string | undefined): string | undefined {
  let preferred: string | undefined;
  let greatest = 0;
  for (const member of (acceptLanguage ?? '').split(',')) {
    const { value, weight } = readMember(member);
    if (value === '' || !(weight > 0 && weight >= greatest)) continue;
    preferred = weight > greatest ? value : undefined;
    greatest = weight;
  }
  return preferred;
}

/**
 * RFC 9111 section 4.1: removes differences that have no meaning in the grammar of the field. The order of members of
 * equal weight stays, since some servers choose the first one (RFC 9110 section 12.5.4).
 */
function normalized(name: string, value: string | undefined): string | null {
  if (value === undefined) return null;
  // Commas and spaces within quoted strings have another meaning.
  if (value.includes('"')) return value.trim();
  if (!WEIGHTED.has(name)) {
    return value
      .split(',')
      .map((member) => member.trim())
      .join(',');
  }
  const members = value
    .split(',')
    .filter((member) => member.trim() !== '')
    .map(readMember);
  // A weight that is not valid has no place in an order.
  if (members.every(({ weight }) => !Number.isNaN(weight))) members.sort((a, b) => b.weight - a.weight);
  return members.map(({ text }) => text).join(',');
}

/** A member of a weighted list. */
interface Member {
  /** Without parameters, in lower case. */
  readonly value: string;
  /** 1 by default; NaN if it is not valid. */
  readonly weight: number;
  /** The normal form: `EN ; Q=0.50` is `en;q=0.5`, and a weight of 1 is left out (RFC 9110 section 12.4.2). */
  readonly text: string;
}

function readMember(member: string): Member {
  const [name = '', ...parameters] = member.split(';').map((part) => part.trim());
  const value = name.toLowerCase();
  let weight = 1;
  const kept = parameters.map((parameter) => {
    if (!/^q=/i.test(parameter)) return parameter;
    weight = weightOf(parameter.slice('q='.length));
    return Number.isNaN(weight) ? parameter : `q=${weight}`;
  });
  return { value, weight, text: [value, ...kept.filter((parameter) => parameter !== 'q=1')].join(';') };
}

/** Returns a weight from 0 to 1 with at most three decimals; the leading zero may be missing. NaN for anything else. */
function weightOf(text: string): number {
  const weight = /^(?:[01](?:\.\d{0,3})?|\.\d{1,3})$/.test(text) ? Number(text) : Number.NaN;
  return weight <= 1 ? weight : Number.NaN;
}

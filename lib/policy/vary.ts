import { sha256 } from '../platform/digest.js';
import { type Fields, field, newFields } from './messages.js';

const LANGUAGE = 'accept-language';
/** Fields whose lists have weights, and whose members are equal whatever their case. */
const WEIGHTED: ReadonlySet<string> = new Set(['accept', 'accept-charset', 'accept-encoding', LANGUAGE]);
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

/** What a stored response was selected by. */
export interface Selected {
  /** The names of {@link varyNames}. */
  readonly vary: readonly string[];
  /** The digest of {@link variantOf}. */
  readonly variant: string;
  readonly headers: Fields;
  readonly request: { readonly headers: Fields };
}

/**
 * RFC 9111 section 4.1: whether a stored response is one for a request with these fields: it has the same for all that
 * Vary names, or asks for nothing more dearly than the language that the response is in.
 */
export function selects(stored: Selected, requestHeaders: Fields): boolean {
  const { vary, variant, headers, request } = stored;
  if (vary.length === 0 || variantOf(vary, requestHeaders) === variant) return true;
  const language = field(headers, 'content-language')?.trim().toLowerCase();
  if (language === undefined || !vary.includes(LANGUAGE)) return false;
  if (preferredLanguage(field(requestHeaders, LANGUAGE)) !== language) return false;
  const asked = newFields(requestHeaders);
  delete asked[LANGUAGE];
  if (request.headers[LANGUAGE] !== undefined) asked[LANGUAGE] = request.headers[LANGUAGE];
  return variantOf(vary, asked) === variant;
}

/** The one language with the greatest weight (RFC 9110 section 12.5.4). */
function preferredLanguage(acceptLanguage: string | undefined): string | undefined {
  let preferred: string | undefined;
  let greatest = 0;
  for (const member of (acceptLanguage ?? '').split(',')) {
    const [language = '', ...parameters] = weightedMember(member).split(';');
    const weight = parameters.length === 0 ? 1 : Number(parameters[0]?.slice('q='.length));
    if (language === '' || !(weight >= greatest)) continue;
    preferred = weight > greatest ? language : undefined;
    greatest = weight;
  }
  return preferred;
}

/** RFC 9111 section 4.1: differences that mean nothing in the field's grammar do not count. */
function normalized(name: string, value: string | undefined): string | null {
  if (value === undefined) return null;
  // Within quoted strings commas and spaces have another meaning.
  if (value.includes('"')) return value.trim();
  const members = value.split(',').map((member) => member.trim());
  if (!WEIGHTED.has(name)) return members.join(',');
  return members
    .filter((member) => member !== '')
    .map(weightedMember)
    .sort()
    .join(',');
}

/** `EN ; Q=0.50` is `en;q=0.5`, and a weight of 1 goes without saying (RFC 9110 section 12.4.2). */
function weightedMember(member: string): string {
  const [value = '', ...parameters] = member.split(';').map((part) => part.trim());
  return [value.toLowerCase(), ...parameters.map(weight).filter((part) => part !== 'q=1')].join(';');
}

function weight(parameter: string): string {
  const match = /^q=([01](?:\.\d{0,3})?)$/i.exec(parameter);
  return match ? `q=${Number(match[1])}` : parameter;
}

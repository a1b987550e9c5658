import { memoize } from '../platform/memo.js';
import { CREDENTIAL_HEADER_WORDS, CREDENTIAL_PARAMETERS, POSSIBLE_CREDENTIAL_PARAMETERS } from './credential-names.js';

/** The names that settings add to, or exclude from, the built-in rules. */
export interface NameRules {
  /** Lower-case names that are left out of key and store. */
  readonly ignoredParameters: ReadonlySet<string>;
  /** Names of headers and parameters that are credentials, in lower case and without separators. */
  readonly credentialNames: ReadonlySet<string>;
}

/** Replaces a value that must not be readable. */
export const REDACTED = 'REDACTED';

/** The treatment of a parameter by its name; `redact-if-secret` keeps a value that does not look like a secret. */
export type ParameterAction = 'keep' | 'omit' | 'redact' | 'redact-if-secret';

/** Decides on a parameter by its name. */
export type ParameterRule = (name: string) => ParameterAction;

const CREDENTIAL_WORDS: ReadonlySet<string> = new Set(CREDENTIAL_HEADER_WORDS);
const CREDENTIAL_WORD_END =
  /(?:token|key|secret|password|session|jwt|signature|clientid|userid|username|useremail|tenantid|accountid|orgid|customerid|workspaceid|teamid|projectid|callerid|callerobjectid|onbehalf|onbehalfof|cert|certificate|mailbox|sessid|sessionid|tenant|user)$/;
/** Words of each pair together, or directly one after the other, make a header a credential. */
const PAIRS: readonly (readonly [first: string, second: string])[] = [
  [CREDENTIAL_HEADER_WORDS.join('|'), 'code|domain|id|identifier|info|name|uuid'],
  [
    'access|anonymous|app|application|agency|branch|calling|cart|client|contact|department|device|family|household|installation|institution|profile|school|site|space|store|subscription|unit',
    'code|id|identifier|secret|uuid',
  ],
  ['act|login|run|switch|view', 'as'],
  ['remote', 'name'],
  ['stripe', 'context'],
];
const PAIR_WORD = new RegExp(`^(?:${PAIRS.map(([first, second]) => `(?:${first})(?:${second})`).join('|')})$`);
const PAIR_WORDS = PAIRS.map((pair) => pair.map((words) => new Set(words.split('|'))));
/** Identifiers of single requests, which would make every request a miss. */
const REQUEST_IDENTIFIER =
  /(?:request-id|requestid|correlation-id|correlationid|trace-id|traceid|span-id|idempotency-key)$/;

/** The list, names that end in an entry of at least six letters, and the signatures of Amazon and Google. */
const SECRET_PARAMETER = new RegExp(
  `^(?:${CREDENTIAL_PARAMETERS.join('|')})$|(?:${CREDENTIAL_PARAMETERS.filter(({ length }) => length >= 6).join('|')})$|^x(?:amz|goog)`,
);
const AMBIGUOUS_PARAMETERS: ReadonlySet<string> = new Set(POSSIBLE_CREDENTIAL_PARAMETERS);
const PAGINATION_PARAMETERS: ReadonlySet<string> = new Set(['pagetoken', 'nexttoken', 'continuationtoken', 'cursor']);

/** Length from which the value of an ambiguous parameter can be a secret. */
const SECRET_LENGTH = 16;

/** Returns a name in the form in which names are compared: lower case, without `-`, `_`, `.`, `[` and `]`. */
export const plainName = memoize((name) => name.toLowerCase().replace(/[-_.[\]]/g, ''));

const isBuiltInCredential = memoize((name) => {
  const dashed = name.replace(/[^a-z\d]+/g, '-');
  if (dashed === 'user-agent' || dashed.startsWith('sec-') || REQUEST_IDENTIFIER.test(dashed)) return false;
  const words = dashed.split('-');
  if (words.some((word) => CREDENTIAL_WORDS.has(word) || CREDENTIAL_WORD_END.test(word) || PAIR_WORD.test(word)))
    return true;
  return PAIR_WORDS.some((pair) => pair.every((set) => words.some((word) => set.has(word))));
});

const builtInAction = memoize((name): ParameterAction => {
  const plain = plainName(name);
  if (PAGINATION_PARAMETERS.has(plain)) return 'keep';
  const names = [plain, ...nameParts(name).map(plainName)];
  if (names.some((one) => SECRET_PARAMETER.test(one))) return 'redact';
  return names.some((one) => AMBIGUOUS_PARAMETERS.has(one)) ? 'redact-if-secret' : 'keep';
});

/** `user`, `password` of `user[password]` and of `user.password`. */
const nameParts = memoize((name): readonly string[] => name.split(/[[\].]+/).filter((part) => part !== ''));

/**
 * Returns whether a request header is a credential: by the words of its name, or by `credentialNames`.
 *
 * @param name lower case
 */
export function isCredentialHeader(name: string, { credentialNames }: Pick<NameRules, 'credentialNames'>): boolean {
  return isBuiltInCredential(name) || (credentialNames.size > 0 && credentialNames.has(plainName(name)));
}

/** Returns how a parameter of a query, a form or JSON is stored, by its name in any case; nested names by their parts. */
export function storedParameter(
  name: string,
  { credentialNames }: Pick<NameRules, 'credentialNames'>,
): ParameterAction {
  const named =
    credentialNames.size > 0 &&
    (credentialNames.has(plainName(name)) || nameParts(name).some((part) => credentialNames.has(plainName(part))));
  return named ? 'redact' : builtInAction(name);
}

/** Returns whether the value of an ambiguous parameter is a secret rather than a word, a code or a number. */
export function looksLikeSecret(value: string): boolean {
  return value.length >= SECRET_LENGTH && /\p{L}/u.test(value) && /\d/.test(value);
}

/** Returns whether a parameter is among `ignoredParameters`, by its whole name in any case. */
export function isIgnored(name: string, { ignoredParameters }: Pick<NameRules, 'ignoredParameters'>): boolean {
  return ignoredParameters.size > 0 && ignoredParameters.has(name.toLowerCase());
}

/** As {@link isIgnored}; `user[session]` also by its parts, as the member of a JSON body would be. */
export function isIgnoredNested(name: string, rules: Pick<NameRules, 'ignoredParameters'>): boolean {
  if (rules.ignoredParameters.size === 0) return false;
  return isIgnored(name, rules) || (name.includes('[') && name.split(/[[\]]+/).some((part) => isIgnored(part, rules)));
}

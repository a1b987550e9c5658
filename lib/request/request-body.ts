import { TextDecoder } from 'node:util';
import { isLosslessNumber, parse } from 'lossless-json';
import type { CacheRequest, FormEntry, RequestBody } from '../models/cache-request.js';
import { sha256 } from '../platform/digest.js';
import { forbidsTransform } from '../policy/cache-control.js';
import { type Fields, field } from '../policy/messages.js';
import { looksLikeSecret, type ParameterRule, REDACTED } from './credentials.js';
import { mapQuery, pairName, pairValue } from './normalize-url.js';
import { redactPath } from './path-parameters.js';

/** A body in canonical form: text, or the digest of bytes; undefined if there is none. */
export type CanonicalBody = readonly unknown[] | undefined;

/** Returns a value as it may be stored: URLs and JSON within it have parameters too. */
type ValueRule = (value: string) => string;

const KEEP_ALL: ParameterRule = () => 'keep';
/** How deep values within values are redacted. */
const MAX_DEPTH = 4;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Returns a request's body in the form in which equal bodies are equal: members of JSON objects in any order, FormData by
 * its entries, anything else by its bytes. Text and bytes are read by their Content-Type, unless the request has the
 * directive `no-transform`.
 */
export function canonicalBody(request: CacheRequest, rule: ParameterRule): CanonicalBody {
  const { body } = request;
  if (body.kind === 'none' || body.kind === 'stream') return undefined;
  if (body.kind === 'form') return ['form', body.entries.flatMap((entry) => formEntry(entry, rule))];
  const type = mediaType(request.headers, body);
  const mayNormalize = (isJson(type) || isForm(type)) && !forbidsTransform(request.headers);
  const text = mayNormalize ? textOf(request.headers, body) : undefined;
  if (text !== undefined) {
    const json = isJson(type) ? canonicalJson(text, rule) : undefined;
    if (json !== undefined) return ['json', json];
    if (isForm(type)) return ['text', mapPairs(text.split('&'), rule).join('&')];
  }
  return body.kind === 'text' ? ['text', body.text] : ['bytes', sha256(body.bytes)];
}

/**
 * Returns the parameters of a body that an origin reads by name: of forms, and the top-level members of JSON that are text.
 *
 * @param hint what the names that matter contain; other texts are not read
 */
export function bodyParameters(
  { headers, body }: CacheRequest,
  hint: RegExp,
): (readonly [name: string, value: string])[] {
  if (body.kind === 'form')
    return body.entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : []));
  const type = mediaType(headers, body);
  const text = isJson(type) || isForm(type) ? textOf(headers, body) : undefined;
  if (text === undefined || !hint.test(text)) return [];
  if (isForm(type)) return text.split('&').map((pair) => [pairName(pair), pairValue(pair)]);
  try {
    return Object.entries(JSON.parse(text) as object).filter(([, value]) => typeof value === 'string');
  } catch {
    return [];
  }
}

/** Returns the body as it may be stored: text, or base64 of bytes; undefined if there is none. */
export function storedBody(request: CacheRequest, rule: ParameterRule): string | undefined {
  const { body, headers } = request;
  if (body.kind === 'none' || body.kind === 'stream') return undefined;
  const values = valueRule(rule);
  if (body.kind === 'form') return JSON.stringify(body.entries.flatMap((entry) => formEntry(entry, rule, values)));
  const type = mediaType(headers, body);
  const text = textOf(headers, body);
  if (isJson(type)) return (text === undefined ? undefined : canonicalJson(text, rule, values)) ?? REDACTED;
  // Its parameters cannot be distinguished here.
  if (type.startsWith('multipart/') || isEncoded(headers)) return REDACTED;
  if (text === undefined) return isForm(type) ? REDACTED : base64(body);
  const redacted = redactJson(text, rule, values) ?? mapPairs(text.split('&'), rule, values).join('&');
  return body.kind === 'bytes' && !isForm(type) ? Buffer.from(redacted).toString('base64') : redacted;
}

/** Returns the pairs of a query or a form body, by the rules for their names and values. */
export function mapPairs(pairs: readonly string[], rule: ParameterRule, values?: ValueRule): string[] {
  return pairs.flatMap((pair) => {
    const action = rule(pairName(pair));
    if (action === 'omit') return [];
    const equals = pair.indexOf('=');
    const name = equals === -1 ? pair : pair.slice(0, equals);
    if (action === 'redact' || (action === 'redact-if-secret' && looksLikeSecret(pairValue(pair))))
      return [`${name}=${REDACTED}`];
    const value = values && pairValue(pair);
    const changed = value && values(value);
    return [changed === value ? pair : `${name}=${encodeURIComponent(changed ?? '')}`];
  });
}

/** Returns a URL, or a part of one, with `REDACTED` for credentials in its path and its query. */
export function redactParts(url: string, rule: ParameterRule, values: ValueRule): string {
  const mark = url.indexOf('?');
  const path = redactPath(mark === -1 ? url : url.slice(0, mark), rule);
  return mark === -1 ? path : mapQuery(path + url.slice(mark), (pairs) => mapPairs(pairs, rule, values));
}

/** Returns a rule for values in which a URL or JSON, whose parameters the rule for names applies to, may be. */
export function valueRule(rule: ParameterRule, depth = 0): ValueRule {
  if (depth === MAX_DEPTH) return (value) => value;
  const inner = valueRule(rule, depth + 1);
  return (value) => {
    const json = redactJson(value, rule, inner);
    if (json !== undefined) return json;
    if (!/^(?:[a-z][a-z\d+.-]*:\/)?\/[^\s]*(?:[?#;]|%3b)/i.test(value)) return value;
    return redactParts(value, rule, inner);
  };
}

/** The type of the content. The type of a Blob replaces the header, as in axios's adapters. */
function mediaType(headers: Fields, body: RequestBody): string {
  const own = body.kind === 'bytes' ? body.type : undefined;
  return (own || field(headers, 'content-type') || '').trim().toLowerCase();
}

function isJson(type: string): boolean {
  return type.includes('json');
}

function isForm(type: string): boolean {
  return type.includes('x-www-form-urlencoded');
}

function isEncoded(headers: Fields): boolean {
  return (field(headers, 'content-encoding') ?? 'identity').trim().toLowerCase() !== 'identity';
}

/** The content as text; undefined for compressed content and for bytes that are not UTF-8. */
function textOf(headers: Fields, body: RequestBody): string | undefined {
  if (isEncoded(headers)) return undefined;
  if (body.kind === 'text') return body.text;
  if (body.kind !== 'bytes') return undefined;
  try {
    return utf8.decode(body.bytes);
  } catch {
    return undefined;
  }
}

function base64(body: RequestBody): string {
  return body.kind === 'bytes' ? Buffer.from(body.bytes).toString('base64') : REDACTED;
}

/** JSON under another type, such as the one that axios sets for text; undefined for other text. */
function redactJson(text: string, rule: ParameterRule, values: ValueRule): string | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  const plain = canonicalJson(text, KEEP_ALL);
  if (plain === undefined) return undefined;
  const redacted = canonicalJson(text, rule, values) ?? REDACTED;
  return redacted === plain ? text : redacted;
}

function formEntry([name, value]: FormEntry, rule: ParameterRule, values: ValueRule = keepValue): unknown[] {
  const action = rule(name);
  if (action === 'omit') return [];
  if (action === 'redact') return [[name, REDACTED]];
  if (typeof value !== 'string') return [[name, value.name, value.type, sha256(value.bytes)]];
  return [[name, action === 'redact-if-secret' && looksLikeSecret(value) ? REDACTED : values(value)]];
}

/** Undefined for text that is not JSON, has duplicate names, or is nested too deeply: it then counts by its text. */
function canonicalJson(text: string, rule: ParameterRule, values: ValueRule = keepValue): string | undefined {
  try {
    const value = parse(text);
    // axios writes text that is no JSON as a JSON string.
    if (typeof value === 'string' && values !== keepValue && /^\s*[[{]/.test(value)) return JSON.stringify(REDACTED);
    return writeCanonical(value, { rule, values }, false);
  } catch {
    return undefined;
  }
}

function keepValue(value: string): string {
  return value;
}

interface WriteRules {
  readonly rule: ParameterRule;
  readonly values: ValueRule;
}

/** @param mayBeSecret the value belongs to an ambiguous name, so that texts in it may be secrets */
function writeCanonical(value: unknown, rules: WriteRules, mayBeSecret: boolean): string {
  if (isLosslessNumber(value)) return value.value;
  if (Array.isArray(value)) return `[${value.map((item) => writeCanonical(item, rules, mayBeSecret)).join(',')}]`;
  if (typeof value === 'string')
    return JSON.stringify(mayBeSecret && looksLikeSecret(value) ? REDACTED : rules.values(value));
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members: string[] = [];
  for (const name of Object.keys(value).sort()) {
    const action = rules.rule(name);
    if (action === 'omit') continue;
    const member = (value as Record<string, unknown>)[name];
    const written =
      action === 'redact'
        ? `"${REDACTED}"`
        : writeCanonical(member, rules, mayBeSecret || action === 'redact-if-secret');
    members.push(`${JSON.stringify(name)}:${written}`);
  }
  return `{${members.join(',')}}`;
}

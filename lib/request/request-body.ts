import { isLosslessNumber, parse } from 'lossless-json';
import type { CacheRequest, FormEntry } from '../models/cache-request.js';
import { sha256 } from '../platform/digest.js';
import { field } from '../policy/messages.js';
import { pairName } from './normalize-url.js';

/** What stands for a value that is not to be seen. */
export const REDACTED = 'REDACTED';

/** What becomes of a body's parameter of that name. */
export type ParameterRule = (name: string) => 'keep' | 'omit' | 'redact';

/** A body in canonical form: text, or the digest of bytes; undefined where there is none. */
export type CanonicalBody = readonly unknown[] | undefined;

/**
 * A request's body in the one form in which equal bodies are equal: members of JSON objects in any order, FormData by
 * its entries, anything else by its bytes.
 */
export function canonicalBody(request: CacheRequest, rule: ParameterRule): CanonicalBody {
  const { body } = request;
  switch (body.kind) {
    case 'none':
    case 'stream':
      return undefined;
    case 'bytes':
      return ['bytes', sha256(body.bytes)];
    case 'form':
      return ['form', body.entries.flatMap((entry) => formEntry(entry, rule))];
    case 'text':
      return textBody(body.text, request, rule);
  }
}

/** The body as it may be stored: text, or base64 of bytes; undefined where there is none. */
export function storedBody(request: CacheRequest, rule: ParameterRule): string | undefined {
  const { body } = request;
  switch (body.kind) {
    case 'none':
    case 'stream':
      return undefined;
    case 'bytes':
      return Buffer.from(body.bytes).toString('base64');
    default: {
      const canonical = canonicalBody(request, rule);
      const content = canonical?.[1];
      return typeof content === 'string' ? content : JSON.stringify(content);
    }
  }
}

function formEntry([name, value]: FormEntry, rule: ParameterRule): unknown[] {
  const action = rule(name);
  if (action === 'omit') return [];
  if (action === 'redact') return [[name, REDACTED]];
  return typeof value === 'string' ? [[name, value]] : [[name, value.name, value.type, sha256(value.bytes)]];
}

function textBody(text: string, request: CacheRequest, rule: ParameterRule): CanonicalBody {
  const type = field(request.headers, 'content-type')?.toLowerCase() ?? '';
  if (type.includes('json')) {
    const json = canonicalJson(text, rule);
    if (json !== undefined) return ['json', json];
  }
  if (type.includes('x-www-form-urlencoded')) return ['text', mapPairs(text.split('&'), rule).join('&')];
  return ['text', text];
}

/** Pairs of a query or a form body, by the rule for their names. */
export function mapPairs(pairs: readonly string[], rule: ParameterRule): string[] {
  return pairs.flatMap((pair) => {
    const action = rule(pairName(pair));
    if (action === 'keep') return [pair];
    const equals = pair.indexOf('=');
    return action === 'omit' ? [] : [`${equals === -1 ? pair : pair.slice(0, equals)}=${REDACTED}`];
  });
}

/** Undefined for what is no JSON, has duplicate names, or is nested beyond reading: it then counts by its text. */
function canonicalJson(text: string, rule: ParameterRule): string | undefined {
  try {
    return writeCanonical(parse(text), rule);
  } catch {
    return undefined;
  }
}

function writeCanonical(value: unknown, rule: ParameterRule): string {
  if (isLosslessNumber(value)) return value.value;
  if (Array.isArray(value)) return `[${value.map((item) => writeCanonical(item, rule)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members: string[] = [];
  for (const name of Object.keys(value).sort()) {
    const action = rule(name);
    if (action === 'omit') continue;
    const member =
      action === 'redact' ? `"${REDACTED}"` : writeCanonical((value as Record<string, unknown>)[name], rule);
    members.push(`${JSON.stringify(name)}:${member}`);
  }
  return `{${members.join(',')}}`;
}

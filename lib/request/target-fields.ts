import type { CacheRequest } from '../models/cache-request.js';
import { field } from '../policy/messages.js';
import { isIgnored, type NameRules } from './credentials.js';

/** A part of the target: the name of a field, and its value. */
export type TargetPart = readonly [name: string, value: string];

/**
 * Fields by which origins behind proxies and gateways choose the site or the resource, in place of Host and URL: a server
 * that renders for several sites asks one origin with the host of each.
 */
const TARGET_FIELDS: ReadonlySet<string> = new Set([
  'x-forwarded-host',
  'x-forwarded-path',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-proto',
  'x-forwarded-protocol',
  'x-forwarded-scheme',
  'x-forwarded-server',
  'x-forwarded-ssl',
  'x-forwarded-uri',
  'x-forwarded-url',
  'x-host',
  'x-http-host-override',
  'x-original-host',
  'x-original-uri',
  'x-original-url',
  'x-rewrite-uri',
  'x-rewrite-url',
  // The operation, the data, or the form of the answer, which origins choose by these without naming them in Vary.
  'accept-profile',
  'accept-version',
  'content-currency',
  'content-profile',
  'depth',
  'notion-version',
  'soapaction',
  'store',
  'stripe-version',
  'x-acs-action',
  'x-acs-version',
  'x-amz-target',
  'x-clickhouse-database',
  'x-fields',
  'x-ms-version',
  'x-presto-catalog',
  'x-presto-schema',
  'x-rapidapi-host',
  'x-tc-action',
  'x-tc-version',
  'x-trino-catalog',
  'x-trino-schema',
]);
/** Such as X-GitHub-Api-Version. */
const VERSION = 'api-version';
/** RFC 7239 section 5. The other parameters are addresses of clients and proxies. */
const FORWARDED_TARGET = /(?:^|[;,])\s*((?:host|proto)=(?:"(?:[^"\\]|\\.)*"|[^;,]*))/gi;
const NONE: readonly TargetPart[] = [];

/** Returns the fields that name another site, resource, operation or version than Host and URL do, sorted by name. */
export function targetFields({ headers }: Pick<CacheRequest, 'headers'>, rules: NameRules): readonly TargetPart[] {
  let parts: TargetPart[] | undefined;
  for (const name in headers) {
    const isForwarded = name === 'forwarded';
    if (!(isForwarded || isTarget(name)) || isIgnored(name, rules)) continue;
    const value = field(headers, name) ?? '';
    const target = isForwarded ? forwardedTarget(value) : value.trim();
    parts ??= [];
    if (target !== '') parts.push([name, target]);
  }
  return parts?.sort(([a], [b]) => (a < b ? -1 : 1)) ?? NONE;
}

function isTarget(name: string): boolean {
  return TARGET_FIELDS.has(name) || name.endsWith(VERSION);
}

function forwardedTarget(value: string): string {
  return Array.from(value.matchAll(FORWARDED_TARGET), ([, pair = '']) => pair.trim()).join(';');
}

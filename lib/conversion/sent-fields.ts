import { type Fields, fields, newFields } from '../policy/messages.js';
import { inBrowser } from './flavor.js';

/** The members of the HTTP clients' requests: of Node.js, of HTTP/2, and of fetch. */
interface SentRequest {
  getHeaders?(): Record<string, unknown>;
  readonly sentHeaders?: Record<string, unknown>;
  readonly headers?: Headers;
}

/**
 * Returns the header fields that the HTTP client sent with its last request, with all that agents, transports and adapters
 * added. Undefined if it does not show them.
 *
 * @param xsrfHeaderName the field that axios adds in browsers, which is a proof against forgery and no credential
 * @param cookies of a jar, which the first request of a redirect chain had
 */
export function sentFields(
  request: unknown,
  xsrfHeaderName: string | undefined,
  cookies: readonly string[] = [],
): Fields | undefined {
  const raw = rawFields(request);
  if (!raw && cookies.length === 0) return undefined;
  const sent = raw ? fields(raw) : newFields();
  if (inBrowser && xsrfHeaderName) delete sent[xsrfHeaderName.toLowerCase()];
  if (cookies.length > 0) sent.cookie = [sent.cookie ?? [], ...cookies].flat().join('; ');
  return sent;
}

function rawFields(request: unknown): Record<string, unknown> | undefined {
  if (typeof request !== 'object' || request === null) return undefined;
  const { getHeaders, sentHeaders, headers } = request as SentRequest;
  if (typeof getHeaders === 'function') return getHeaders.call(request);
  if (typeof sentHeaders === 'object' && sentHeaders !== null) return sentHeaders;
  return typeof headers?.entries === 'function' ? Object.fromEntries(headers.entries()) : undefined;
}

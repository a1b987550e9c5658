import { AxiosHeaders } from 'axios';
import type { Fields } from '../policy/messages.js';

/**
 * Returns the class of a request's headers: that of the copy of axios that sends it. Older versions accept only headers
 * of their own class.
 */
export function headersClassOf(headers: unknown): typeof AxiosHeaders {
  const own = (headers as object | undefined)?.constructor as typeof AxiosHeaders | undefined;
  return typeof own?.from === 'function' && typeof own.accessor === 'function' ? own : AxiosHeaders;
}

/**
 * Returns headers with copies of the fields. They are assigned, since `set` is a hundred times slower; a field named
 * `__proto__` is written in another case.
 */
export function toAxiosHeaders(fields: Fields, Headers: typeof AxiosHeaders = AxiosHeaders): AxiosHeaders {
  const headers = new Headers() as AxiosHeaders & Record<string, unknown>;
  for (const name in fields) {
    const value = fields[name];
    headers[name === '__proto__' ? '__Proto__' : name] = typeof value === 'string' ? value : [...(value ?? [])];
  }
  return headers;
}

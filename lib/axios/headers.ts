import { AxiosHeaders } from 'axios';
import type { Fields } from '../policy/messages.js';

/**
 * The class of a request's headers: that of the copy of axios that sends it, which may be another than ours, and whose
 * older versions take no headers but their own.
 */
export function headersClassOf(headers: unknown): typeof AxiosHeaders {
  const own = (headers as object | undefined)?.constructor as typeof AxiosHeaders | undefined;
  return typeof own?.from === 'function' && typeof own.accessor === 'function' ? own : AxiosHeaders;
}

/**
 * Returns headers with copies of the fields. They are assigned, since `set` costs a hundred times that; a field with the
 * name of the prototype keeps its meaning in another case.
 */
export function toAxiosHeaders(fields: Fields, Headers: typeof AxiosHeaders = AxiosHeaders): AxiosHeaders {
  const headers = new Headers() as AxiosHeaders & Record<string, unknown>;
  for (const name in fields) {
    const value = fields[name];
    headers[name === '__proto__' ? '__Proto__' : name] = typeof value === 'string' ? value : [...(value ?? [])];
  }
  return headers;
}

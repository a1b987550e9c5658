import { AxiosHeaders } from 'axios';

/**
 * The class of a request's headers: that of the copy of axios that sends it, which may be another than ours, and whose
 * older versions take no headers but their own.
 */
export function headersClassOf(headers: unknown): typeof AxiosHeaders {
  const own = (headers as object | undefined)?.constructor as typeof AxiosHeaders | undefined;
  return typeof own?.from === 'function' && typeof own.accessor === 'function' ? own : AxiosHeaders;
}

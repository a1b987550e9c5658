import type { InternalAxiosRequestConfig } from 'axios';

/** The kind of adapter that serves a request: the forms of bodies and errors depend on it. */
export type Flavor = 'http' | 'fetch' | 'xhr';

/** Whether XMLHttpRequest exists: axios then prefers it, and cookies are not visible to the cache. */
export const inBrowser = typeof XMLHttpRequest !== 'undefined';

/** Returns the flavor of `config.adapter`; an adapter of the user counts as the platform's default. */
export function flavorOf(adapter: InternalAxiosRequestConfig['adapter']): Flavor {
  const first = Array.isArray(adapter) ? adapter.find((candidate) => candidate !== 'xhr' || inBrowser) : adapter;
  const name = typeof first === 'function' ? (first as { adapterName?: unknown }).adapterName : first;
  if (name === 'fetch' || name === 'xhr' || name === 'http') return name;
  return inBrowser ? 'xhr' : 'http';
}

import type { InternalAxiosRequestConfig } from 'axios';

/** Which of axios's adapters is behind a request: they hand over bodies and errors in different forms. */
export type Flavor = 'http' | 'fetch' | 'xhr';

/** Whether XMLHttpRequest is there: axios then prefers it, and cookies go unseen. */
export const inBrowser = typeof XMLHttpRequest !== 'undefined';

/** The flavor of `config.adapter`; an adapter of the user's own counts as the platform's default. */
export function flavorOf(adapter: InternalAxiosRequestConfig['adapter']): Flavor {
  const first = Array.isArray(adapter) ? adapter.find((candidate) => candidate !== 'xhr' || inBrowser) : adapter;
  const name = typeof first === 'function' ? (first as { adapterName?: unknown }).adapterName : first;
  if (name === 'fetch' || name === 'xhr' || name === 'http') return name;
  return inBrowser ? 'xhr' : 'http';
}

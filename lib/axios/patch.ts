import type { Axios, AxiosRequestConfig } from 'axios';
import { type AxiosExport, registerCopy } from './copies.js';

/** `Axios.prototype._request`: private, and the one method that every request of every kind of instance passes. */
export type Request = (
  this: Axios,
  configOrUrl: string | AxiosRequestConfig,
  config?: AxiosRequestConfig,
) => Promise<unknown>;

/** Sends a request of an instance whose copy of axios is patched. */
export type Send = (
  prototype: object,
  instance: Axios,
  original: Request,
  given: AxiosRequestConfig,
) => Promise<unknown>;

/** The patched copies of axios. */
export class Patches {
  readonly #restorers = new Map<object, () => void>();

  /** Replaces the `_request` of a copy of axios by a function that calls `send`; patched copies stay as they are. */
  add(copy: AxiosExport, send: Send): void {
    const { prototype } = copy.Axios;
    if (this.#restorers.has(prototype)) return;
    registerCopy(copy);
    const own = Object.getOwnPropertyDescriptor(prototype, '_request') as PropertyDescriptor;
    const original = own.value as Request;
    const patched: Request = function (configOrUrl, config) {
      const given = typeof configOrUrl === 'string' ? { ...config, url: configOrUrl } : (configOrUrl ?? {});
      return send(prototype, this, original, given);
    };
    Object.defineProperty(prototype, '_request', { ...own, value: patched });
    this.#restorers.set(prototype, () => {
      // A later patch of another package remains.
      const current = Object.getOwnPropertyDescriptor(prototype, '_request');
      if (current?.value === patched) Object.defineProperty(prototype, '_request', own);
    });
  }

  /** Restores all copies. */
  restore(): void {
    for (const restore of this.#restorers.values()) restore();
    this.#restorers.clear();
  }
}

import { identityOf } from '../platform/identity.js';
import type { CallSettings } from './instance.js';

/** Settings that affect only the caller, not the request to the origin or the stored response. */
const OWN: ReadonlySet<string> = new Set<keyof CallSettings>([
  'staleIfError',
  'staleWhileRevalidate',
  'maxAge',
  'networkFirst',
  'alwaysRevalidate',
  'onlyIfCached',
  'refresh',
  'forceRefresh',
  'coalesce',
  'lease',
  'enabled',
  'onEvent',
]);

const signatures = new WeakMap<CallSettings, string>();

/** Returns a text that is equal for settings under which a response is stored in the same way. */
export function settingsSignature(settings: CallSettings): string {
  let signature = signatures.get(settings);
  if (signature === undefined) {
    const parts = Object.entries(settings)
      .filter(([name]) => !OWN.has(name))
      // Names of tags add up: a response has those of all requests that share it.
      .map(([name, value]) => [name, comparable(name === 'tags' ? settings.tags.functions : value)]);
    signature = JSON.stringify(parts);
    signatures.set(settings, signature);
  }
  return signature;
}

/** A form of the value that JSON can carry, alike for values that mean the same. */
export function comparable(value: unknown): unknown {
  if (typeof value === 'function') return identityOf(value);
  if (typeof value === 'number') return String(value);
  if (value instanceof Set) return [...value].map(String).sort();
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value === 'object' && value !== null) {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return identityOf(value);
    return Object.entries(value).map(([name, part]) => [name, comparable(part)]);
  }
  return value;
}

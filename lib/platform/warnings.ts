import { shared } from './shared-state.js';

/** Warnings that are remembered, at most: values in messages may differ at each call. */
const MAX_REMEMBERED = 1_000;

/** Emits a `CacheWarning`, once in this process for each message. */
export function warnOnce(message: string): void {
  const warned = shared('warnings', () => new Set<string>());
  if (warned.has(message) || warned.size >= MAX_REMEMBERED) return;
  warned.add(message);
  process.emitWarning(message, 'CacheWarning');
}

// Numbers of seconds that were probably meant as milliseconds, the unit of axios's timeout and of Keyv's ttl.

const MINUTE_MS = 60_000;
const DAY = 86_400;
/** Seconds: no request waits so long for a store, or before it is served stale data. */
const LONG_WAIT = 300;

/**
 * Returns a hint if a lifetime is whole minutes in milliseconds, such as 3,600,000, and not whole days in seconds.
 *
 * @param option its name, for the hint
 */
export function lifetimeHint(option: string, value: unknown): string | undefined {
  if (typeof value !== 'number' || value < MINUTE_MS || value % MINUTE_MS !== 0) return undefined;
  const days = value / DAY;
  if (Number.isInteger(days) && days % 1000 !== 0) return undefined;
  return `${option}: ${value} is ${Math.round(days * 10) / 10} days, since numbers are seconds; write "${value / MINUTE_MS}m" if milliseconds were meant`;
}

/** Returns a hint if a time that a request waits is too long for seconds. @param option its name, for the hint */
export function waitHint(option: string, value: unknown): string | undefined {
  if (typeof value !== 'number' || !(value >= LONG_WAIT) || value === Number.POSITIVE_INFINITY) return undefined;
  return `${option}: ${value} is ${Math.round(value / 60)} minutes, since numbers are seconds; write ${value / 1000} if milliseconds were meant`;
}

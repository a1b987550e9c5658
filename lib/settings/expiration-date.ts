import { type ExpirationTime, expiresAt, parseExpiration } from '../policy/expiration.js';

/**
 * Returns the instant at which something that begins at `from` expires (requests-cache: `get_expiration_datetime`).
 *
 * @param expireAfter a time, as the option `expireAfter` takes it; `null` for never
 * @param from default: now
 * @returns `null` for never
 * @throws TypeError for any other value
 * @example
 * toExpirationDate('6m', new Date('2026-01-01T00:00:00Z'));   // 2026-01-01T00:06:00.000Z
 * toExpirationDate(-1);                                       // null
 */
export function toExpirationDate(expireAfter: ExpirationTime | null, from: Date = new Date(Date.now())): Date | null {
  const expiration = expireAfter === null ? undefined : parseExpiration(expireAfter);
  const at = expiration ? expiresAt(expiration, from.getTime()) : Number.POSITIVE_INFINITY;
  return at === Number.POSITIVE_INFINITY ? null : new Date(at);
}

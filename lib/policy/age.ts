import { parseHttpDate } from './http-date.js';
import { field, type ResponseMessage, type StoredMessage } from './messages.js';

/** RFC 9111 section 5.1: of a list, the first value counts; a value that is not a number is ignored. */
function ageValue(response: ResponseMessage): number {
  const first = field(response.headers, 'age')?.split(',', 1)[0]?.trim() ?? '';
  return /^\d+$/.test(first) ? Math.min(Number(first), 2 ** 31) : 0;
}

/**
 * Returns corrected_initial_age in seconds (RFC 9111 section 4.2.3).
 *
 * @param requestTime milliseconds since the epoch
 * @param responseTime milliseconds since the epoch
 */
export function initialAge(response: ResponseMessage, requestTime: number, responseTime: number): number {
  const date = field(response.headers, 'date');
  const dateValue = date === undefined ? undefined : parseHttpDate(date, responseTime);
  const apparentAge = dateValue === undefined ? 0 : Math.max(0, (responseTime - dateValue) / 1000);
  const responseDelay = Math.max(0, (responseTime - requestTime) / 1000);
  return Math.floor(Math.max(apparentAge, ageValue(response) + responseDelay));
}

/**
 * Returns current_age in seconds (RFC 9111 section 4.2.3).
 *
 * @param now milliseconds since the epoch
 */
export function currentAge(stored: StoredMessage, now: number): number {
  return stored.initialAge + Math.max(0, Math.floor((now - stored.receivedAt) / 1000));
}

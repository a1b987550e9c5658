import { parseHttpDate } from './http-date.js';
import { field, type ResponseMessage, type StoredMessage } from './messages.js';

/** RFC 9111 section 5.1: the first value of a list; what is no number is ignored. */
function ageValue(response: ResponseMessage): number {
  const first = field(response.headers, 'age')?.split(',', 1)[0]?.trim() ?? '';
  return /^\d+$/.test(first) ? Math.min(Number(first), 2 ** 31) : 0;
}

/**
 * RFC 9111 section 4.2.3, corrected_initial_age, in seconds.
 *
 * @param requestTime milliseconds
 * @param responseTime milliseconds
 */
export function initialAge(response: ResponseMessage, requestTime: number, responseTime: number): number {
  const date = field(response.headers, 'date');
  const dateValue = date === undefined ? undefined : parseHttpDate(date, responseTime);
  const apparentAge = dateValue === undefined ? 0 : Math.max(0, (responseTime - dateValue) / 1000);
  const responseDelay = Math.max(0, (responseTime - requestTime) / 1000);
  return Math.floor(Math.max(apparentAge, ageValue(response) + responseDelay));
}

/** RFC 9111 section 4.2.3, current_age, in seconds. */
export function currentAge(stored: StoredMessage, now: number): number {
  return stored.initialAge + Math.max(0, Math.floor((now - stored.receivedAt) / 1000));
}

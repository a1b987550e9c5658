import { optionError } from '../errors.js';
import { parseHttpDate } from './http-date.js';

/**
 * A parsed lifetime: a duration in seconds (`Infinity`: never expires, 0: do not cache), or an instant in milliseconds since
 * the epoch.
 */
export type Expiration = { readonly seconds: number } | { readonly at: number };

/**
 * A duration as an object, such as `{ hours: 1, minutes: 30 }`. A `Temporal.Duration` is accepted too. Months have 30 days,
 * years 365 days.
 */
export interface DurationLike {
  readonly years?: number;
  readonly months?: number;
  readonly weeks?: number;
  readonly days?: number;
  readonly hours?: number;
  readonly minutes?: number;
  readonly seconds?: number;
  readonly milliseconds?: number;
  readonly microseconds?: number;
  readonly nanoseconds?: number;
}

type DurationUnit = 'w' | 'd' | 'h' | 'm' | 's' | 'ms';

/**
 * A duration as text: numbers with the units `w`, `d`, `h`, `m`, `s` and `ms`, the largest first, such as `'5m'` or
 * `'1h30m'`; or an ISO 8601 duration such as `'PT5M'`. At run time more units than three, and upper case, are accepted too.
 */
export type DurationText =
  | `${number}${DurationUnit}`
  | `${number}${DurationUnit}${'' | ' '}${number}${DurationUnit}`
  | `${number}${DurationUnit}${'' | ' '}${number}${DurationUnit}${'' | ' '}${number}${DurationUnit}`
  | `P${string}`;

type Day = 'Mon' | 'Tue' | 'Wed' | 'Thu' | 'Fri' | 'Sat' | 'Sun';

/** An ISO 8601 date or date-time, or an HTTP-date (RFC 9110 section 5.6.7). UTC without a zone. */
export type DateText = `${number}-${number}-${number}${string}` | `${Day}${string}`;

/**
 * A time, as `expireAfter` takes it: a number of seconds, a `Date`, an HTTP-date or ISO 8601 date-time, or a duration as
 * text or object. Cast a variable of type `string`: `text as DurationText`.
 */
export type ExpirationTime = number | Date | DurationText | DateText | DurationLike;

/**
 * For `expireAfter`: the response never expires (requests-cache: `NEVER_EXPIRE`).
 *
 * @example
 * setupCache(axios.create(), { expireAfter: NEVER_EXPIRE });
 */
export const NEVER_EXPIRE = -1;
/**
 * For `expireAfter`: neither read from nor write to the cache (requests-cache: `DO_NOT_CACHE`).
 *
 * @example
 * setupCache(axios.create(), { urlsExpireAfter: { 'api.example.org/live': DO_NOT_CACHE } });
 */
export const DO_NOT_CACHE = 0;

export const ACCEPTED_TIMES =
  'seconds (-1 for never, 0 for do not cache), a Date, an HTTP-date or ISO 8601 date-time, a duration such as "5m", "1h30m" or "PT5M", or { days, hours, minutes, seconds, milliseconds }';

const NEVER: Expiration = Object.freeze({ seconds: Number.POSITIVE_INFINITY });

/** Seconds in each unit of a {@link DurationLike}. */
const UNITS: Readonly<Record<keyof DurationLike, number>> = {
  years: 31_536_000,
  months: 2_592_000,
  weeks: 604_800,
  days: 86_400,
  hours: 3_600,
  minutes: 60,
  seconds: 1,
  milliseconds: 1e-3,
  microseconds: 1e-6,
  nanoseconds: 1e-9,
};

/** `1h30m`: each unit once, the largest first; fractions are allowed. */
const NUMBER = '(\\d+(?:\\.\\d+)?)';
const SHORT_DURATION = new RegExp(
  `^(?:${NUMBER}w)?\\s*(?:${NUMBER}d)?\\s*(?:${NUMBER}h)?\\s*(?:${NUMBER}m)?\\s*(?:${NUMBER}s)?\\s*(?:${NUMBER}ms)?$`,
  'i',
);
const SHORT_UNITS = ['weeks', 'days', 'hours', 'minutes', 'seconds', 'milliseconds'] as const;
/** ISO 8601-1 section 5.5.2. */
const ISO_DURATION = new RegExp(
  `^P(?:${NUMBER}Y)?(?:${NUMBER}M)?(?:${NUMBER}W)?(?:${NUMBER}D)?(?:T(?=\\d)(?:${NUMBER}H)?(?:${NUMBER}M)?(?:${NUMBER}S)?)?$`,
  'i',
);
const ISO_UNITS = ['years', 'months', 'weeks', 'days', 'hours', 'minutes', 'seconds'] as const;
const ISO_DATE_TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2}(?:[.,]\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/i;
const LONGEST_TEXT = 100;

/**
 * Parses a time. `undefined` ("not set here") stays undefined.
 *
 * @param option the name of the option, for the error
 * @throws TypeError for any other value, such as `'60'`, `''`, `{}`, `null` and negative numbers except -1
 */
export function parseExpiration(value: unknown, option = 'expireAfter'): Expiration | undefined {
  if (value === undefined) return undefined;
  const parsed = parse(value);
  if (parsed === undefined) throw optionError(option, value, ACCEPTED_TIMES);
  return parsed;
}

function parse(value: unknown): Expiration | undefined {
  if (typeof value === 'number') return ofSeconds(value);
  if (typeof value === 'string') return value.length > LONGEST_TEXT ? undefined : ofText(value.trim());
  // `instanceof` fails for a Date of another realm, as in test environments.
  if (Object.prototype.toString.call(value) === '[object Date]') return ofInstant(Number(value));
  if (typeof value === 'object' && value !== null) return ofDuration(value as DurationLike);
  return undefined;
}

function ofSeconds(seconds: number): Expiration | undefined {
  if (seconds === NEVER_EXPIRE || seconds === Number.POSITIVE_INFINITY) return NEVER;
  return seconds >= 0 ? { seconds } : undefined;
}

function ofInstant(at: number | undefined): Expiration | undefined {
  return at === undefined || Number.isNaN(at) ? undefined : { at };
}

function ofText(text: string): Expiration | undefined {
  if (text === '') return undefined;
  return (
    ofParts(SHORT_DURATION.exec(text), SHORT_UNITS) ??
    ofParts(ISO_DURATION.exec(text), ISO_UNITS) ??
    ofInstant(isoInstant(text)) ??
    // The obsolete form with a two-digit year needs a reference.
    ofInstant(parseHttpDate(text, Date.UTC(2026, 0)))
  );
}

function ofParts(match: RegExpExecArray | null, units: readonly (keyof DurationLike)[]): Expiration | undefined {
  if (!match) return undefined;
  const given = units.flatMap((unit, index) => {
    const text = match[index + 1];
    return text === undefined ? [] : [Number(text) * UNITS[unit]];
  });
  return given.length === 0 ? undefined : ofSeconds(given.reduce((sum, part) => sum + part, 0));
}

/** Returns milliseconds since the epoch; UTC without a zone. */
function isoInstant(text: string): number | undefined {
  const match = ISO_DATE_TIME.exec(text);
  if (!match) return undefined;
  const [, date, minutes = '00:00', seconds = ':00', zone = 'Z'] = match;
  const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
  const time = Date.parse(`${date}T${minutes}${seconds.replace(',', '.')}${offset}`);
  // Date.parse accepts 31 February as 3 March.
  const day = Number(date?.slice(8));
  return new Date(`${date}T00:00:00Z`).getUTCDate() === day ? time : undefined;
}

function ofDuration(value: DurationLike): Expiration | undefined {
  const isTemporal = Object.prototype.toString.call(value) === '[object Temporal.Duration]';
  const names = isTemporal ? Object.keys(UNITS) : Object.keys(value);
  let seconds = 0;
  for (const name of names) {
    const amount = value[name as keyof DurationLike];
    if (!Object.hasOwn(UNITS, name) || typeof amount !== 'number' || !Number.isFinite(amount)) return undefined;
    seconds += amount * UNITS[name as keyof DurationLike];
  }
  return names.length === 0 || seconds < 0 ? undefined : { seconds };
}

/** Returns whether a lifetime is `DO_NOT_CACHE`. */
export function isDoNotCache(expiration: Expiration): boolean {
  return 'seconds' in expiration && expiration.seconds === 0;
}

/**
 * Returns the instant of expiration in whole milliseconds since the epoch; `Infinity` for never.
 *
 * @param now milliseconds since the epoch
 */
export function expiresAt(expiration: Expiration, now: number): number {
  if ('at' in expiration) return Math.floor(expiration.at);
  const at = Math.ceil(now + expiration.seconds * 1000);
  // The greatest instant of a Date; anything later is the same as never.
  return at > 8.64e15 ? Number.POSITIVE_INFINITY : at;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MONTH = MONTHS.join('|');
const SHORT_DAY = '(?:mon|tue|wed|thu|fri|sat|sun)';
const LONG_DAY = '(?:mon|tues|wednes|thurs|fri|satur|sun)day';
const TIME = '(\\d{2}):(\\d{2}):(\\d{2})';

/** RFC 9110 section 5.6.7: IMF-fixdate, and the two obsolete forms that recipients must accept. */
const IMF = new RegExp(`^${SHORT_DAY}, (\\d{2}) (${MONTH}) (\\d{4}) ${TIME} gmt$`, 'i');
const RFC850 = new RegExp(`^${LONG_DAY}, (\\d{2})-(${MONTH})-(\\d{2}) ${TIME} gmt$`, 'i');
const ASCTIME = new RegExp(`^${SHORT_DAY} (${MONTH}) ([ \\d]\\d) ${TIME} (\\d{4})$`, 'i');
/** The longest form has 33 characters; longer text is not parsed. */
const LONGEST = 40;

/**
 * Returns an HTTP-date as milliseconds since the epoch; undefined for anything else (RFC 9110 section 5.6.7).
 *
 * @param now milliseconds since the epoch; a two-digit year is at most 50 years after it
 */
export function parseHttpDate(text: string, now: number): number | undefined {
  const date = text.length > LONGEST ? '' : text.trim();
  let match = IMF.exec(date);
  if (match) return instant(match[3], match[2], match[1], match[4], match[5], match[6]);
  match = RFC850.exec(date);
  if (match) return instant(fullYear(Number(match[3]), now), match[2], match[1], match[4], match[5], match[6]);
  match = ASCTIME.exec(date);
  if (match) return instant(match[6], match[1], match[2], match[3], match[4], match[5]);
  return undefined;
}

function fullYear(twoDigits: number, now: number): number {
  const thisYear = new Date(now).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + twoDigits;
  return year > thisYear + 50 ? year - 100 : year;
}

type Part = string | number | undefined;

function instant(year: Part, month: Part, day: Part, hour: Part, minute: Part, second: Part): number | undefined {
  const [y, d, h, m, s] = [year, day, hour, minute, second].map(Number) as [number, number, number, number, number];
  const index = MONTHS.indexOf(String(month).toLowerCase());
  // Date has no leap seconds: one counts as the second before it.
  if (h > 23 || m > 59 || s > 60) return undefined;
  const time = Date.UTC(y, index, d, h, m, Math.min(s, 59));
  return new Date(time).getUTCDate() === d ? time : undefined;
}

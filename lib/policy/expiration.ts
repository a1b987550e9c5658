/** A lifetime in its settled form: a duration in seconds (`Infinity` never expires, 0 do not cache), or an instant (milliseconds since the epoch). */
export type Expiration = { readonly seconds: number } | { readonly at: number };

/** `{ hours: 1, minutes: 30 }`; a `Temporal.Duration` fits. Months are 30 days, years 365. */
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

/** What a user may give as a time: seconds, a Date, an HTTP-date or ISO 8601 date-time, a duration as text or object. */
export type ExpirationTime = number | Date | string | DurationLike;

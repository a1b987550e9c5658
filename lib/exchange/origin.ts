import type { BodyForm, Hop } from '../models/record.js';
import type { Fields } from '../policy/messages.js';
import type { Passenger } from './flights.js';

/** What the origin answered, read to its end. */
export interface OriginAnswer {
  readonly status: number;
  readonly statusText: string;
  /** Lower-case names; Set-Cookie still in it. */
  readonly headers: Fields;
  /** `opaque`: the adapter returned something that has no bytes to store. */
  readonly bodyForm: BodyForm | 'opaque';
  readonly body: Uint8Array;
  /** The final URL, with whatever it carries. */
  readonly url: string;
  /** The redirects that were followed, in order, not redacted. */
  readonly hops: readonly Hop[];
  /** A later request of the redirect chain carried credentials that the first did not, or was changed by the caller. */
  readonly laterCredentials: boolean;
  /** Milliseconds since the epoch. */
  readonly requestTime: number;
  /** Milliseconds since the epoch. */
  readonly responseTime: number;
  /** The adapter's own response, for the caller whose request it was. */
  readonly native: unknown;
}

/** An answer whose body is still on its way. */
export interface OpenAnswer extends Omit<OriginAnswer, 'bodyForm' | 'body' | 'native'> {
  readonly bodyForm: 'bytes' | 'none';
  /** Ends it unread. */
  discard(): void;
  /**
   * The HTTP client's own response, with a body of which a copy is kept on its way.
   *
   * @param limit bytes; of a longer body nothing is kept
   * @param onWhole gets the body once it has ended whole; the end waits for it
   * @param onTooLong told at the end instead where the limit was passed
   */
  collect(limit: number, onWhole: (body: Uint8Array) => Promise<void>, onTooLong: () => void): Promise<unknown>;
}

/** A request that went past the cache, settled as the caller's own adapter settled it. */
export interface PassedAnswer {
  /** Undefined where no response came. */
  readonly status?: number | undefined;
  readonly headers?: Fields;
  /** The final URL. */
  readonly url?: string;
  readonly native?: unknown;
  /** What the adapter rejected with. */
  readonly error?: unknown;
}

/** How the exchange reaches the origin, whatever HTTP client is behind it. */
export interface Origin {
  /**
   * Sends the request and reads the whole answer; every status resolves.
   *
   * @param conditions header fields to add (validators)
   * @param signal ends the request; takes the place of the caller's own signal and timeout
   * @param passengers are told of the answer's progress
   * @throws what the client rejects with where no whole answer came
   */
  send(conditions: Fields | undefined, signal: AbortSignal, passengers: Passenger): Promise<OriginAnswer>;
  /**
   * Sends the request, within the caller's own limits, and resolves with its headers; every status resolves.
   *
   * @throws what the client rejects with
   */
  open(conditions: Fields | undefined): Promise<OpenAnswer>;
  /** Sends the request just as the caller wrote it; never rejects. */
  pass(): Promise<PassedAnswer>;
  /** What of the request, beside its key, must be alike for its answer to be shared. */
  readonly signature: string;
  /** Whether the error tells that the origin could not be had, rather than that the caller gave up. */
  failed(error: unknown): boolean;
  /** Returns the error of another caller's request as one of this caller, without anything of the other's request. */
  adopt(error: unknown): unknown;
}

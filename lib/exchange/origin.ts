import type { BodyForm, Hop } from '../models/record.js';
import type { Fields } from '../policy/messages.js';

/** A response of the origin: whole, or with a body that is still arriving. */
export interface OriginResponse {
  readonly status: number;
  readonly statusText: string;
  /** Lower-case names; Set-Cookie included. */
  readonly headers: Fields;
  /** `opaque`: the adapter returned something that has no bytes to store. */
  readonly bodyForm: BodyForm | 'opaque';
  /** Empty while the body is arriving. */
  readonly body: Uint8Array;
  /** The final URL, unredacted. */
  readonly url: string;
  /** The redirects that were followed, in order, unredacted. */
  readonly hops: readonly Hop[];
  /** A later request of the redirect chain carried credentials that the first did not, or was changed by the caller. */
  readonly laterCredentials: boolean;
  /** The fields of the last request as they were sent, with additions of agents and adapters; undefined if unknown. */
  readonly sent?: Fields | undefined;
  /** The body is incomplete, which the HTTP client did not report. */
  readonly isTruncated?: boolean;
  /** The body in its content coding, if the HTTP client decoded it without requiring its end. */
  readonly encoded?: { isComplete(decoded: Uint8Array): Promise<boolean> } | undefined;
  /** Milliseconds since the epoch. */
  readonly requestTime: number;
  /** Milliseconds since the epoch. */
  readonly responseTime: number;
  /** The HTTP client's own response, for the caller whose request it was. */
  readonly native: unknown;
  /** Only if the body is still arriving. */
  readonly stream?: BodyStream;
}

/** A body that is still arriving. */
export interface BodyStream {
  /** Ends it unread. */
  discard(): void;
  /** Returns the HTTP client's own response with a body of which a copy is collected. */
  collect(options: CollectOptions): Promise<unknown>;
}

export interface CollectOptions {
  /** Bytes; of a longer body no copy is kept. */
  readonly limit: number;
  /** Receives the body after its complete end; the end of the caller's stream waits for it. */
  readonly onComplete: (body: Uint8Array) => Promise<void>;
  /** Called once if no complete copy will come: the body was longer, failed, or was not read to its end. */
  readonly onIncomplete: (reason: 'body-too-large' | 'aborted') => void;
}

/** A request that bypassed the cache, settled as the caller's own adapter settled it. */
export interface BypassResponse {
  /** Undefined if no response came. */
  readonly status?: number | undefined;
  readonly headers?: Fields;
  /** The final URL. */
  readonly url?: string;
  /** The redirects that were followed, in order, unredacted. */
  readonly hops?: readonly Hop[];
  readonly native?: unknown;
  /** The reason with which the adapter rejected. */
  readonly error?: unknown;
}

/** Observes a request to the origin. */
export interface ProgressListener {
  /** Part of the response arrived; `event` is the HTTP client's own. */
  progress(event: unknown): void;
  /** The whole response arrived, and is about to be stored. */
  responseArrived(): void;
}

/** How the exchange reaches the origin, by whatever HTTP client. */
export interface Origin {
  /**
   * Sends the request and reads the whole response; every status resolves.
   *
   * @param conditions header fields to add (validators)
   * @param shared ends the request and observes it, in place of the caller's own signal, timeout and progress
   * @throws the HTTP client's error if no whole response came
   */
  send(conditions: Fields | undefined, shared: SharedRequest): Promise<OriginResponse>;
  /**
   * Sends the request within the caller's own limits and resolves with its headers; every status resolves.
   *
   * @throws the HTTP client's error
   */
  open(conditions: Fields | undefined): Promise<OriginResponse>;
  /** Sends the request exactly as the caller wrote it; never rejects. */
  bypass(): Promise<BypassResponse>;
  /** The same request for the background: a change of the caller's config no longer applies to it. */
  detached(): Origin;
  /** The properties of the request, beside its key, that must be equal for its response to be shared. */
  readonly signature: string;
  /** Whether an error means that the origin could not be reached, rather than that the caller gave up. */
  failed(error: unknown): boolean;
  /** Returns an error of another caller's request as one of this caller's own. */
  adopt(error: unknown): unknown;
}

/** The part of a coalesced request that the HTTP client needs. */
export interface SharedRequest extends ProgressListener {
  /** Undefined if the request cannot be canceled, since its first caller waits for it in any case. */
  readonly signal: AbortSignal | undefined;
}

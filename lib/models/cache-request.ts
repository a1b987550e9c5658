import type { MaybePromise } from '../platform/maybe-promise.js';
import type { Fields, RequestMessage } from '../policy/messages.js';
import type { NotCachedReason } from '../policy/reasons.js';

/** One entry of a form body. A file counts by its name, type and bytes. */
export type FormEntry =
  | readonly [name: string, value: string]
  | readonly [name: string, file: { name: string; type: string; bytes: Uint8Array }];

/** A request body as it is sent, in the form in which it was given. */
export type RequestBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'text'; readonly text: string }
  /** `type` is the Content-Type of a Blob, which axios sends instead of the header. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly type?: string }
  | { readonly kind: 'form'; readonly entries: readonly FormEntry[] }
  /** Streams, and everything else that cannot be read without consuming it: not cached. */
  | { readonly kind: 'stream' };

/**
 * A request to the origin, read from axios's final config before the adapter runs. Keys, policy and redaction
 * work on it. It contains secrets and is never stored; RequestRecord is the stored part.
 */
export interface CacheRequest extends RequestMessage {
  /** Upper case. */
  readonly method: string;
  /** Absolute, as sent, without fragment, with user name and password. */
  readonly url: string;
  /** As given to the adapter, and Authorization and Cookie as the HTTP client adds them. Lower-case names. */
  readonly headers: Fields;
  readonly body: RequestBody;
  /** The caller wants the body as it arrives. Not part of the key. */
  readonly streamed?: boolean;
  /** `config.auth`. */
  readonly auth?: { readonly username: string; readonly password: string };
  /** The value of the Cookie field that a cookie jar (`config.jar`, or that of the agent) would send. */
  readonly jarCookies?: string;
  /** Credentials are sent that cannot be seen: a browser's `withCredentials`, or a dispatcher of the fetch adapter. */
  readonly hiddenCredentials?: boolean;
  /** The reason for Cache-Status if the connection depends on code that cannot be compared: `tls` or `connection`. */
  readonly hiddenTransport?: NotCachedReason;
  /** The result of `credentials: (config) => name`; only set if that option is a function. */
  readonly principal?: string;
  /** Everything else that changes the answer (docs/matching.md), as pairs sorted by name. */
  readonly transport: readonly (readonly [name: string, value: string])[];
  /**
   * Returns whether a redirect to one of these URLs could carry more than this request does: cookies of its jar, or
   * additions of the caller's `beforeRedirect`. Absent if there is neither.
   */
  readonly carriesMoreTo?: (urls: readonly string[]) => MaybePromise<boolean>;
}

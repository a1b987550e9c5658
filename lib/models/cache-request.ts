import type { Fields, RequestMessage } from '../policy/messages.js';

/** One entry of a form body: a file counts by its name, type and bytes. */
export type FormEntry =
  | readonly [name: string, value: string]
  | readonly [name: string, file: { name: string; type: string; bytes: Uint8Array }];

/** A request body as the key sees it: what is sent, in the form it was given. */
export type RequestBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'form'; readonly entries: readonly FormEntry[] }
  /** Streams, and anything else that can't be read without consuming it: not cached. */
  | { readonly kind: 'stream' };

/**
 * A request on its way to the origin, read from axios's final config before the adapter ran: what keys, policy and
 * redaction look at. It holds secrets and is never stored; {@link RequestRecord} is what is kept of it.
 */
export interface CacheRequest extends RequestMessage {
  /** Upper case. */
  readonly method: string;
  /** As sent: absolute, normalised, without fragment; userinfo still in it. */
  readonly url: string;
  /** As given to the adapter, before it adds its own; lower-case names. */
  readonly headers: Fields;
  readonly body: RequestBody;
  /** The caller wants the body as it arrives. Not part of the key. */
  readonly streamed?: boolean;
  /** `config.auth`. */
  readonly auth?: { readonly username: string; readonly password: string };
  /** What a cookie jar (`config.jar`) would send: the value of a Cookie field. */
  readonly jarCookies?: string;
  /** A browser's `withCredentials`: cookies that can't be seen. */
  readonly hiddenCredentials?: boolean;
  /** What `credentials: (config) => name` said; set only where that option is a function. */
  readonly principal?: string;
  /** What else changes the answer (design 3): socketPath, proxy, decompress, maxRedirects 0, the agent's certificate ...; sorted pairs. */
  readonly transport: readonly (readonly [name: string, value: string])[];
}

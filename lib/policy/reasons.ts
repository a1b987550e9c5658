/**
 * The reasons of decisions, as `detail=` of `cacheStatus` (RFC 9211 section 2.9) and `reason` of events. The comment of a
 * reason is its cause and, after a bar, the cure; `npm run reasons` writes docs/why-not-cached.md from them.
 */
export type Reason =
  | NotCachedReason
  | NotStoredReason
  | AskReason
  | ServedReason
  | FailureReason
  | InvalidReason
  | EventReason;

/** Requests that bypass the cache. */
export type NotCachedReason =
  /**
   * The request has `cache: false`, or the cache is disabled: `cacheDisabled()`, `enabled`, `detachCache()`. | Remove
   * `cache: false`, or send the request outside of `cacheDisabled()`.
   */
  | 'disabled'
  /** The method is not cached. | Add it to `allowableMethods`. For POST and GraphQL see the [example](../examples/post-graphql.ts). */
  | 'method'
  /** The applicable `expireAfter` is 0. | Set a lifetime for the request, the URL pattern or the instance. */
  | 'do-not-cache'
  /** The URL is not http or https, or axios itself refuses it. | Correct the URL. */
  | 'url'
  /** The request body is a stream, which can be read only once. | Pass a string, bytes, a Blob or an object. */
  | 'stream-body'
  /** A header such as X-HTTP-Method-Override turns the request into another method. | Send that method itself. */
  | 'method-override'
  /** The browser, an agent or an adapter adds credentials that are not in the key. | Pass a `credentials` function that returns the principal. */
  | 'hidden-credentials'
  /** The agent verifies or presents TLS identities by code that cannot be compared (`checkServerIdentity`, `secureContext`, `pskCallback`). | Use options of Node.js with values, or a `credentials` function. */
  | 'tls'
  /** The agent makes its connections by a function or has a socket, so that the server is unknown. | Use `host`, `proxy` or `socketPath`. */
  | 'connection'
  /** A QUERY request has no Content-Type (RFC 10008 section 2). | Set the header. */
  | 'content-type'
  /** The request has a Range that the mode cannot serve. | Use `cacheControl: true` and a single byte range. */
  | 'range'
  /** The request has If-Match or If-Unmodified-Since, which only the origin evaluates. | Remove the header. */
  | 'precondition'
  /** The request has Cache-Control: no-store. | Remove the directive. */
  | 'request-no-store';

/** Responses that are not stored. */
export type NotStoredReason =
  /** The status is not stored, or (302, 503 and others with `cacheControl`) only with a lifetime of the response. | Add it to `allowableCodes`. */
  | 'status'
  /** `readOnly` is set. | Unset it. */
  | 'read-only'
  /** `filterFn` refused the response. | Change the function. */
  | 'filter'
  /** The body is larger than `maxBodySize`. | Raise `maxBodySize`. */
  | 'body-too-large'
  /** The entry is larger than the store accepts. | Raise `maxSize` of the backend, or compress entries. */
  | 'too-large-for-store'
  /** The stream was not read to its end, or the connection ended before the body was complete. | Read the whole stream. */
  | 'aborted'
  /** The body is compressed, and the end of its coding (gzip, deflate, br, zstd) is missing, although the HTTP message is complete. | Correct the origin or the proxy that cuts it. */
  | 'incomplete-body'
  /** The adapter returned a body of an unknown form, such as a stream without bytes. | Use an adapter of axios, or another `responseType`. */
  | 'opaque-body'
  /** A later request of the redirect chain carried credentials that the first one did not, or `beforeRedirect` changed it. | Request the final URL. */
  | 'redirect-credentials'
  /** A redirect of the chain may not be stored (with `cacheControl`). | Request the final URL. */
  | 'redirect-not-storable'
  /** A header of the response contains a secret, such as a token in Location. | Set `encryptionKey`, so that entries are encrypted. */
  | 'secret-in-header'
  /** The response has Vary: *. | Ask the origin to name the fields. */
  | 'vary-star'
  /** The response names more cache groups than RFC 9875 requires caches to accept. | Ask the origin for fewer groups. */
  | 'groups'
  /** A part (206) has another length than its Content-Range says, or the stored part does not cover the request. | Request the whole. */
  | 'partial'
  /** The response has Cache-Control: no-store. | It must not be stored; without `cacheControl` it is. */
  | 'no-store'
  /** The response has must-understand, and its status is not understood. | It must not be stored. */
  | 'must-understand'
  /** A shared cache does not store private responses. | Unset `shared`. */
  | 'private'
  /** A shared cache stores responses to requests with Authorization only if they say so. | Ask the origin for `public` or `s-maxage`, or unset `shared`. */
  | 'authorization'
  /** The response has no freshness lifetime and no validator. | Set `expireAfter`, which applies where headers say nothing. */
  | 'no-lifetime'
  /** The response to a request that began later is stored already. | Request it again. */
  | 'superseded'
  /** The response was invalidated while it was requested, or its invalidation has not reached the store yet. | Request it again. */
  | 'invalidated'
  /** The store refused the write for another reason. | See the event of type `error`. */
  | 'write-failed';

/** A stored response is not served as it is: the origin is asked. */
export type AskReason =
  /** Nothing is stored for the request. | Nothing to do: the next request is a hit. */
  | 'miss'
  /** The stored response has expired. | Set a longer lifetime, or `staleWhileRevalidate`. */
  | 'stale'
  /** It was received longer ago than `maxAge` allows. | Raise `maxAge`. */
  | 'max-age'
  /** The request has `refresh: true`. | Remove it. */
  | 'refresh'
  /** The request has `forceRefresh: true`. | Remove it. */
  | 'force-refresh'
  /** `alwaysRevalidate` is set. | Unset it. */
  | 'always-revalidate'
  /** The request has Cache-Control: no-cache, or Pragma: no-cache. | Remove the directive. */
  | 'request-no-cache'
  /** The stored response has Cache-Control: no-cache. | It must be revalidated; without `cacheControl` it is served. */
  | 'no-cache'
  /** The request's max-age excludes the stored response. | Remove or raise it. */
  | 'request-max-age'
  /** The request's min-fresh excludes the stored response. | Remove or lower it. */
  | 'request-min-fresh';

/** How a stored response was served, or why none was. */
export type ServedReason =
  /** The stored response is fresh. | */
  | 'fresh'
  /** The stored response is stale, and the request's max-stale accepts it. | */
  | 'max-stale'
  /** The origin failed, and `oldDataOnError` or a directive allows the stale response. | */
  | 'stale-if-error'
  /** The origin failed, and the stored response prohibits that it is served stale, by must-revalidate or no-cache (in a shared cache also by proxy-revalidate or s-maxage). | It must be confirmed; without `cacheControl` it is served. */
  | 'must-revalidate'
  /** The stale response was served, and is refreshed in the background. | */
  | 'stale-while-revalidate'
  /** With `networkFirst`: the origin was asked first, or took longer than allowed. | */
  | 'network-first'
  /** Another caller's request was joined. | */
  | 'collapsed'
  /** Another process stored the response while this one waited for its lease. | */
  | 'lease'
  /** `onlyIfCached` is set and no stored response may be served: the status is 504. | Unset it, or store the response first. */
  | 'only-if-cached';

/** Failures of the store: the request continued without it. */
export type FailureReason =
  /** The circuit is open after an outage. | Check the server; the cache asks it every 5 seconds. */
  | 'store-down'
  /** The store did not answer within `backendTimeout`. | Raise `backendTimeout`, or check the server. */
  | 'store-timeout'
  /** A write was not done within `backendTimeout`: requests read, but do not write, until a write is done in time. | Find out what delays writes, such as another process that locks the database. */
  | 'writes-suspended'
  /** The SQLite file was damaged, and was replaced by a new one with the entries that could be read. | The `error` of the event names the damaged file, which may be deleted. */
  | 'store-replaced'
  /** The store failed. | See the event of type `error`. */
  | 'store-error'
  /** The serializer cannot write the response, or not within `backendTimeout`: it is then stored in the background. | Use another serializer, correct your own, or raise `backendTimeout`. */
  | 'serializer';

/** Entries that exist and cannot be used: the next response replaces them. */
export type InvalidReason =
  /** The entry is damaged, foreign, or in an older format. | `cache.delete({ invalid: true })` removes all of them. */
  | 'unreadable'
  /** The entry was written by another serializer. | Use one serializer for a cache. */
  | 'wrong-serializer'
  /** The entry is signed or encrypted, and no key is set. | Set `secretKey` or `encryptionKey`. */
  | 'key-missing'
  /** The entry is not signed, although `secretKey` is set. | Clear the cache when you set a key. */
  | 'unsigned'
  /** The entry is not encrypted, although `encryptionKey` is set. | Clear the cache when you set a key. */
  | 'not-encrypted'
  /** The signature is wrong: the entry was changed, or the key is another one. | Find out who writes to the store; keep older keys in the list. */
  | 'bad-signature'
  /** The body of a signed entry was changed. | Find out who writes to the store. */
  | 'bad-digest'
  /** The entry is encrypted with a key that is not in the list. | Keep older keys in the list. */
  | 'unknown-key'
  /** The entry cannot be decrypted: it was changed. | Find out who writes to the store. */
  | 'cannot-decrypt'
  /** The entry belongs to another key: it was copied or renamed. | Find out who writes to the store. */
  | 'wrong-item';

/** Reasons of events that concern no single decision. */
type EventReason =
  /** A refresh in the background, whose success or failure the event reports. | */
  | 'background'
  /** A refresh in the background failed. | See `error` of the event. */
  | 'background-refresh'
  /** A function of yours (`expireAfter`, `filterFn`, `tags`, `keyFn`) threw. | See `error` of the event. */
  | 'user-function'
  /** An invalidation failed and is tried again. | See `error` of the event. */
  | 'invalidation'
  /** Responses of a URL were deleted. | */
  | 'url'
  /** Responses were deleted by conditions. | */
  | 'deleted'
  /** Expired responses were removed. | */
  | 'expired'
  /** `instanceFactory` threw or returned no set-up instance. | See `error` of the event. */
  | 'instance-factory'
  /** An instance that `instanceFactory` made could not be detached. | See `error` of the event. */
  | 'detach'
  /** The store could not be closed. | See `error` of the event. */
  | 'close';

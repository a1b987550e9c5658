/** How long past its freshness a response may be used instead of an error (RFC 5861 section 4; requests-cache's `stale_if_error`). */
export interface StaleIfError {
  /** Longest staleness accepted, in seconds; `Infinity` for any. */
  readonly limit: number;
  /** Statuses that count as errors; replaces the default list and wins over its exceptions. */
  readonly codes?: ReadonlySet<number>;
}

/** The settings of one call that the rules look at. */
export interface Rules {
  /** RFC 9111 applies; otherwise only the settings, `Vary` and validators for refreshing. */
  readonly cacheControl: boolean;
  /** Behave as a shared cache. */
  readonly shared: boolean;
  readonly allowableMethods: ReadonlySet<string>;
  /** Undefined where RFC 9111 decides alone. */
  readonly allowableCodes: ReadonlySet<number> | undefined;
  readonly alwaysRevalidate: boolean;
  readonly onlyIfCached: boolean;
  /** Nothing is written or deleted. */
  readonly readOnly: boolean;
  /** Revalidate first. Only per request. */
  readonly refresh: boolean;
  /** Fetch anew, without validators. Only per request. */
  readonly forceRefresh: boolean;
  /** Undefined where `oldDataOnError` is off. */
  readonly staleIfError: StaleIfError | undefined;
  /** Longest staleness served while refreshing, in seconds; 0 for none, `Infinity` for any. */
  readonly staleWhileRevalidate: number;
}

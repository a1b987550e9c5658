/** A URL pattern in compiled form. */
export interface UrlMatcher {
  readonly source: string | RegExp;
  matches(url: string): boolean;
}

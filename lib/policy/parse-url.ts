/**
 * Returns whether a text is a URL, alone or relative to a base. Not `URL.canParse`: once it is optimized, Node 20 returns
 * false for letters beyond ASCII (`https://käse.de`).
 */
export function canParseUrl(url: string, base?: string | URL): boolean {
  return parseUrl(url, base) !== undefined;
}

/** Returns the URL of a text, alone or relative to a base; undefined if it is none. */
export function parseUrl(url: string, base?: string | URL): URL | undefined {
  try {
    return new URL(url, base);
  } catch {
    return undefined;
  }
}

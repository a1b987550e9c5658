/** The user name and password of a URL, decoded; undefined if it has neither. */
export function userinfoOf(url: string): { readonly username: string; readonly password: string } | undefined {
  // Cheap, and nearly always sufficient: without `@` there is no userinfo.
  if (!url.includes('@')) return undefined;
  const { username, password } = new URL(url);
  return username || password ? { username: decode(username), password: decode(password) } : undefined;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

import type { InternalAxiosRequestConfig } from 'axios';

/** The part of a tough-cookie jar that is used: the value of the Cookie field for a URL. */
export interface CookieJar {
  getCookieString(url: string): Promise<string>;
}

/** The members of agents of http-cookie-agent; `MixedCookieAgent` consists of two agents. */
interface CookieAgent {
  readonly options?: { readonly cookies?: { readonly jar?: unknown } };
  readonly _httpAgent?: CookieAgent;
  readonly _httpsAgent?: CookieAgent;
}

/** Returns the jar whose cookies are sent to a URL: `config.jar`, or that of the agent for the URL's scheme. */
export function cookieJarFor(config: InternalAxiosRequestConfig, url: string): CookieJar | undefined {
  const { jar, httpAgent, httpsAgent } = config as { jar?: unknown; httpAgent?: CookieAgent; httpsAgent?: CookieAgent };
  if (isCookieJar(jar)) return jar;
  if (!httpAgent && !httpsAgent) return undefined;
  const isSecure = /^https:/i.test(url);
  const agent = isSecure ? httpsAgent : httpAgent;
  const part = isSecure ? agent?._httpsAgent : agent?._httpAgent;
  const found = agent?.options?.cookies?.jar ?? part?.options?.cookies?.jar;
  return isCookieJar(found) ? found : undefined;
}

/** Returns whether a later request would carry cookies of the jar that the first one did not. */
export async function carriesMoreCookies(
  config: InternalAxiosRequestConfig,
  first: string,
  later: readonly string[],
): Promise<boolean> {
  const carried = await cookiesFor(config, first);
  const all = await Promise.all(later.map((url) => cookiesFor(config, url)));
  return all.some((cookies) => hasMore(cookies, carried));
}

/** Returns whether one list of cookies has members that the other lacks. */
export function hasMore(cookies: readonly string[], carried: readonly string[]): boolean {
  return cookies.some((cookie) => !carried.includes(cookie));
}

/** Returns the cookies that a jar would send to a URL. Without a jar there are none. */
export async function cookiesFor(config: InternalAxiosRequestConfig, url: string): Promise<readonly string[]> {
  const text = (await cookieJarFor(config, url)?.getCookieString(url)) ?? '';
  return text === '' ? [] : text.split('; ');
}

function isCookieJar(jar: unknown): jar is CookieJar {
  return typeof (jar as Partial<CookieJar> | undefined)?.getCookieString === 'function';
}

import { looksLikeSecret, type ParameterRule, plainName, REDACTED } from './credentials.js';
import { decodeComponent } from './normalize-url.js';

/** `;name=value` in a path (RFC 3986 section 3.3); some clients encode the semicolon and the equals sign. */
const PARAMETER = /(;|%3b)((?:(?!%3b|%3d)[^;=/])+)(=|%3d)((?:(?!%3b)[^;/])*)/gi;
/** Servers put the session into the path of clients without cookies. */
const SESSION = /(?:session|ses?sid|sessionid)$|^sid$/;

/** Returns a URL, without query and fragment, with `REDACTED` for the credentials among the parameters of its path. */
export function redactPath(url: string, rule: ParameterRule): string {
  if (!/;|%3b/i.test(url)) return url;
  return url.replace(PARAMETER, (pair: string, mark: string, name: string, equals: string, value: string) => {
    const decoded = decodeComponent(name);
    const action = SESSION.test(plainName(decoded)) ? 'redact' : rule(decoded);
    const isSecret = action === 'redact-if-secret' ? looksLikeSecret(decodeComponent(value)) : action !== 'keep';
    return isSecret ? mark + name + equals + REDACTED : pair;
  });
}

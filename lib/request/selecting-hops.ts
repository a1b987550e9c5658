import type { Hop } from '../models/record.js';
import type { Fields } from '../policy/messages.js';
import { normalizeUrl, withoutUserinfo } from './normalize-url.js';

/** The fields by which servers choose the target of a redirect. */
const UNSEEN: readonly { readonly headers: Fields }[] = [{ headers: { vary: 'Accept, Accept-Language, User-Agent' } }];

/**
 * Returns the redirects whose Vary selects a response. If the client followed some without showing them (fetch), they may
 * have had any: content negotiation counts then.
 */
export function selectingHops(
  asked: string,
  final: string,
  hops: readonly Hop[],
): readonly { readonly headers: Fields }[] {
  if (hops.length > 0 || asked === final) return hops;
  // The HTTP client may add or remove user name and password.
  return withoutUserinfo(normalizeUrl(asked)) === withoutUserinfo(normalizeUrl(final)) ? hops : UNSEEN;
}

import { distance } from 'fastest-levenshtein';
import { simplified, unknownOptionError } from '../errors.js';
import { memoize } from '../platform/memo.js';
import { warnOnce } from '../platform/warnings.js';
import { FOREIGN_REQUEST_NAMES } from './foreign-names.js';
import { OPTION_NAMES, REQUEST_NAMES } from './schema.js';

/** The name that a property of a config was probably meant to have. */
interface Meant {
  readonly name: string | undefined;
  /** The same letters: no other package has such a name for something else. */
  readonly isCertain: boolean;
  /** The name is that of an option. */
  readonly isOption: boolean;
}

const KNOWN: readonly string[] = [...new Set([...REQUEST_NAMES, ...OPTION_NAMES])];
/** Shorter names are similar to too many others. */
const MIN_LENGTH = 7;
const SIMPLIFIED: ReadonlyMap<string, string> = new Map(KNOWN.map((name) => [simplified(name), name]));

/**
 * Reports properties of a request's config that are probably misspelled options of the cache, which would have no effect.
 * A name that is only similar may belong to another package, and causes a warning, once for each name.
 *
 * @returns whether the config has a property with the name of an option
 * @throws TypeError for an option in another style, such as `expire_after`
 */
export function checkNames(config: Readonly<Record<string, unknown>>): boolean {
  const { names, hasOption } = lastChecked;
  let at = 0;
  for (const name in config) {
    if (name !== names[at]) return checkEach(config);
    at += 1;
  }
  return at === names.length ? hasOption : checkEach(config);
}

/** The names of the last config without a misspelled one. Nearly all configs of a program have the same names. */
let lastChecked: { readonly names: readonly string[]; readonly hasOption: boolean } = { names: [], hasOption: false };

function checkEach(config: Readonly<Record<string, unknown>>): boolean {
  let hasOption = false;
  let isClean = true;
  const names: string[] = [];
  for (const name in config) {
    names.push(name);
    const { name: meant, isCertain, isOption } = meantBy(name);
    if (isOption) hasOption = true;
    if (meant === undefined) continue;
    isClean = false;
    if (config[name] === undefined || !Object.hasOwn(config, name)) continue;
    if (isCertain) throw unknownOptionError(name, config[name], REQUEST_NAMES, `did you mean ${meant}?`);
    warnOnce(`${name} is no option of the cache and has no effect on it; did you mean ${meant}?`);
  }
  if (isClean) lastChecked = { names, hasOption };
  return hasOption;
}

const meantBy = /* @__PURE__ */ memoize((name): Meant => {
  if (KNOWN.includes(name)) return OPTION;
  const foreign = FOREIGN_REQUEST_NAMES.find(([other]) => other === name)?.[1];
  if (foreign !== undefined) return { ...NOTHING, name: foreign };
  const plain = simplified(name);
  const same = SIMPLIFIED.get(plain);
  if (same !== undefined) return { name: same, isCertain: true, isOption: false };
  if (plain.length < MIN_LENGTH) return NOTHING;
  return { ...NOTHING, name: KNOWN.find((known) => isSimilar(plain, simplified(known))) };
});

const NOTHING: Meant = { name: undefined, isCertain: false, isOption: false };
const OPTION: Meant = { name: undefined, isCertain: false, isOption: true };

function isSimilar(a: string, b: string): boolean {
  const least = Math.min(a.length, b.length);
  return least >= MIN_LENGTH - 1 && distance(a, b) <= (least >= 12 ? 2 : 1);
}

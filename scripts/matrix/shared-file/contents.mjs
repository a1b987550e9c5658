// The bodies of the origin, and the check of each body in the processes.

export const ENTRIES = 20_000;
/** Entries of one tag, of which those that change have it. */
const OF_ONE_TAG = 100;
export const TAGS = ENTRIES / OF_ONE_TAG;
/** Milliseconds of the short freshness lifetime. */
const BRIEF = 2_000;

/**
 * A tenth of the entries is kept from the first write to the end, a tenth expires after two seconds, the others change.
 *
 * @param {number} number
 * @returns {'kept' | 'brief' | 'changing'}
 */
export function kindOf(number) {
  if (number % 10 === 0) return 'kept';
  return number % 10 === 1 ? 'brief' : 'changing';
}

/** @param {number} number */
export function lifetimeOf(number) {
  return kindOf(number) === 'brief' ? BRIEF / 1000 : 86_400;
}

/** @param {number} number */
export function tagsOf(number) {
  return kindOf(number) === 'changing' ? [tagName(Math.floor(number / OF_ONE_TAG))] : [];
}

/** @param {number} tag */
export function tagName(tag) {
  return `tag ${tag}`;
}

/**
 * The numbers of the entries that have a tag.
 *
 * @param {number} tag
 */
export function numbersOf(tag) {
  const all = Array.from({ length: OF_ONE_TAG }, (_, index) => tag * OF_ONE_TAG + index);
  return all.filter((number) => kindOf(number) === 'changing');
}

/**
 * @typedef {object} Body
 * @property {number} number
 * @property {number} version
 * @property {number} writer the version of Node.js of the process that asked for it
 * @property {number} at when it was sent
 * @property {string} fill the number and the version, as often as the number says
 */

/**
 * @param {Omit<Body, 'fill'>} body
 * @returns {Body}
 */
export function bodyOf(body) {
  return { ...body, fill: `${body.number} ${body.version};`.repeat(20 + (body.number % 200)) };
}

/**
 * Says what is wrong with a body; undefined if nothing is.
 *
 * @param {Body} body
 * @param {{ number: number, least: number, askedAt: number }} request with the newest version that was acknowledged before
 */
export function wrongIn(body, { number, least, askedAt }) {
  if (body.number !== number || body.fill !== bodyOf(body).fill) return 'another body';
  if (body.version < least) return `version ${body.version} after ${least}`;
  // The age is counted in whole seconds.
  if (kindOf(number) === 'brief' && askedAt - body.at > BRIEF + 1_000) return `expired, ${askedAt - body.at} ms old`;
  return undefined;
}

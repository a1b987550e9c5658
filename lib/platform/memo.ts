/** Results that one memo keeps. A program rarely uses more different URLs or header names than that at a time. */
const MAX_ENTRIES = 4_000;
/** Longer texts are computed each time, so that a memo occupies a few megabytes at most. */
const MAX_LENGTH = 2_000;

/**
 * Returns a function that computes the same as `compute` and keeps recent results. When it is full it starts anew, which
 * costs less per call than an order of use.
 *
 * @param compute a pure function of a text
 */
export function memoize<T>(compute: (text: string) => T, maxEntries = MAX_ENTRIES): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const result = compute(text);
    if (text.length > MAX_LENGTH) return result;
    if (known.size >= maxEntries) known.clear();
    known.set(text, result);
    return result;
  };
}

/**
 * Returns the parts of a benchmark that the arguments name, in the order of `parts`; all of them without arguments. Ends the
 * process if there is no such part.
 *
 * @param {readonly string[]} parts
 * @param {readonly string[]} given
 */
export function chooseParts(parts, given) {
  const unknown = given.find((name) => !parts.includes(name));
  if (unknown) {
    console.error(`${unknown}: no such part; expected some of ${parts.join(', ')}`);
    process.exit(1);
  }
  return given.length > 0 ? parts.filter((name) => given.includes(name)) : parts;
}

/**
 * The packages in the output of `npm pack --json`: npm 12 prints an object by name, earlier versions a list.
 *
 * @param {string} output
 * @returns {any[]}
 */
export function packedBy(output) {
  return Object.values(JSON.parse(output));
}

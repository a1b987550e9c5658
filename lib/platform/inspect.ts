/** The name of the method that `console.log` of Node, Deno and Bun calls. */
export const INSPECT: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;

/** The argument that `console.log` passes to that method. */
export type InspectArguments = readonly [
  depth: number,
  options: object,
  inspect: (value: unknown, options: object) => string,
];

/** Returns the text that `console.log` shows for an object of a class: its name and the given fields. */
export function inspected(name: string, fields: object, [depth, options, inspect]: InspectArguments): string {
  return depth < 0 ? `[${name}]` : `${name} ${inspect(fields, options)}`;
}

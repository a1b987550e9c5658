/** Returns a copy without a prototype: nothing that was planted in `Object.prototype` is taken for an option. */
export function ownCopy<T extends object>(options: T): T {
  return Object.assign(Object.create(null), options);
}

/** `Symbol.dispose` if the compiler's libraries know it: TypeScript before 5.2 does not. */
type DisposeSymbol = SymbolConstructor extends { readonly dispose: infer S extends symbol } ? S : never;

/** Enables the cache again after a call without a function. Works with `using` if the runtime has `Symbol.dispose`. */
export type Disabling = { /** Enables the cache again; further calls have no effect. */ dispose(): void } & {
  [Name in DisposeSymbol]: () => void;
};

/** Returns an object whose first disposal calls `end`. */
export function disabling(end: () => void): Disabling {
  let done = false;
  const dispose = () => {
    if (!done) end();
    done = true;
  };
  // Realms such as those of `node:vm` and Jest may lack the symbol.
  return { dispose, ...(Symbol.dispose ? { [Symbol.dispose]: dispose } : {}) } as Disabling;
}

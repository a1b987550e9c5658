/** `Symbol.dispose` if the compiler's libraries know it: TypeScript before 5.2 does not. */
type DisposeSymbol = SymbolConstructor extends { readonly dispose: infer S extends symbol } ? S : never;

/** Ends what a call without a function disabled. Also for `using`, in runtimes that have `Symbol.dispose`. */
export type Disabling = { /** Once is enough; later calls change nothing. */ dispose(): void } & {
  [Name in DisposeSymbol]: () => void;
};

/** Calls `end` at the first disposal. */
export function disabling(end: () => void): Disabling {
  let done = false;
  const dispose = () => {
    if (!done) end();
    done = true;
  };
  // Realms such as those of `node:vm` and Jest may lack the symbol.
  return { dispose, ...(Symbol.dispose ? { [Symbol.dispose]: dispose } : {}) } as Disabling;
}

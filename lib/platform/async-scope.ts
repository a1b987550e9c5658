import type { AsyncLocalStorage } from 'node:async_hooks';

/** What holds for the code that runs here, and for whatever it starts. */
export interface AsyncScope<T> {
  run<R>(value: T, fn: () => R): R;
  get(): T | undefined;
}

type Storage = new <T>() => AsyncLocalStorage<T>;

/** AsyncLocalStorage where the runtime has it; not imported by name, so that the module loads where it has not. */
function asyncLocalStorage(): Storage | undefined {
  return globalThis.process?.getBuiltinModule?.('node:async_hooks')?.AsyncLocalStorage;
}

/**
 * A scope that follows asynchronous work. Where AsyncLocalStorage is missing it can't be followed: then the value holds
 * for everything that runs until `fn`, or the promise that it returns, is done.
 */
export function asyncScope<T>(Storage: Storage | undefined = asyncLocalStorage()): AsyncScope<T> {
  if (!Storage) return new WholeScope<T>();
  const storage = new Storage<T>();
  return { run: (value, fn) => storage.run(value, fn), get: () => storage.getStore() };
}

class WholeScope<T> implements AsyncScope<T> {
  readonly #values: { readonly value: T }[] = [];

  run<R>(value: T, fn: () => R): R {
    const own = { value };
    this.#values.push(own);
    const end = () => void this.#values.splice(this.#values.indexOf(own), 1);
    let result: R;
    try {
      result = fn();
    } catch (error) {
      end();
      throw error;
    }
    if (!(result instanceof Promise)) {
      end();
      return result;
    }
    return result.finally(end) as R;
  }

  get(): T | undefined {
    return this.#values.at(-1)?.value;
  }
}

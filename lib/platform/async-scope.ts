import type { AsyncLocalStorage } from 'node:async_hooks';
import { isPromise } from './maybe-promise.js';

/** A value for the code that runs here and for everything that it starts, also asynchronously. */
export interface AsyncScope<T> {
  run<R>(value: T, fn: () => R): R;
  get(): T | undefined;
}

type Storage = new <T>() => AsyncLocalStorage<T>;

/** AsyncLocalStorage if the runtime has it; not imported by name, so that the module loads in every runtime. */
function asyncLocalStorage(): Storage | undefined {
  return globalThis.process?.getBuiltinModule?.('node:async_hooks')?.AsyncLocalStorage;
}

/**
 * A scope that follows asynchronous work. Without AsyncLocalStorage the value applies to everything that runs until
 * `fn`, or the promise that it returns, has settled.
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
    if (!isPromise(result)) {
      end();
      return result;
    }
    return Promise.resolve(result).finally(end) as R;
  }

  get(): T | undefined {
    return this.#values.at(-1)?.value;
  }
}

import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from '@jest/globals';
import { asyncScope } from '../../lib/platform/async-scope.js';

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe.each([
  ['with AsyncLocalStorage', AsyncLocalStorage],
  ['without AsyncLocalStorage', undefined],
])('%s', (_, Storage) => {
  const make = () => (Storage ? asyncScope<string>(Storage) : withoutStorage<string>());

  test('a value is visible to everything that the function starts, and not afterwards', async () => {
    const scope = make();
    const seen = await scope.run('a', async () => {
      await pause(1);
      return [scope.get(), scope.run('b', () => scope.get()), scope.get()];
    });
    expect([seen, scope.get()]).toEqual([['a', 'b', 'a'], undefined]);
  });

  test('errors, thrown and rejected, leave nothing behind', async () => {
    const scope = make();
    const fail = () => {
      throw new Error('failed');
    };
    expect(() => scope.run('a', fail)).toThrow('failed');
    await expect(scope.run('a', async () => fail())).rejects.toThrow('failed');
    expect(scope.get()).toBeUndefined();
  });
});

test('code that runs meanwhile is in the scope only without AsyncLocalStorage', async () => {
  const seen = async (scope: ReturnType<typeof asyncScope<string>>) => {
    const running = scope.run('a', () => pause(5));
    const meanwhile = scope.get();
    await running;
    return [meanwhile, scope.get()];
  };
  expect(await seen(asyncScope())).toEqual([undefined, undefined]);
  expect(await seen(withoutStorage())).toEqual(['a', undefined]);
});

/** As in a runtime that has none. */
function withoutStorage<T>() {
  const { getBuiltinModule } = process;
  Object.defineProperty(process, 'getBuiltinModule', { value: undefined, configurable: true });
  try {
    return asyncScope<T>();
  } finally {
    Object.defineProperty(process, 'getBuiltinModule', { value: getBuiltinModule, configurable: true });
  }
}

import { asyncScope } from '../platform/async-scope.js';
import { shared } from '../platform/shared-state.js';

/** The owners whose cache is disabled for the running code, innermost first. */
interface Scope {
  readonly owner: object;
  readonly outer: Scope | undefined;
}

const scopes = /* @__PURE__ */ shared('disabledScopes', () => asyncScope<Scope>());

/** Runs `fn` with the owner's cache disabled for everything that it starts, also asynchronously. */
export function runDisabled<T>(owner: object, fn: () => T): T {
  return scopes.run({ owner, outer: scopes.get() }, fn);
}

export function isDisabledHere(owner: object): boolean {
  let scope = scopes.get();
  while (scope) {
    if (scope.owner === owner) return true;
    scope = scope.outer;
  }
  return false;
}

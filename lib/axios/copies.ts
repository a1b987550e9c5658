import { createRequire } from 'node:module';
import * as path from 'node:path';
import axios from 'axios';

/**
 * The `Axios.prototype` of each copy of axios that programs may have beside ours: its ESM and its CJS build are two, and
 * a program has both as soon as one of its libraries requires what another imports.
 */
export function prototypesOfAxios(): readonly object[] {
  // Not named `require`: the CJS build has one of its own in scope.
  const load = createRequire(import.meta.url);
  const builds: (() => unknown)[] = [
    () => load('axios'),
    // The ESM build, which Node gives to `require` as well; some runtimes do not.
    () => load(path.join(path.dirname(load.resolve('axios/package.json')), 'index.js')),
  ];
  const copies = new Set<object>([axios.Axios.prototype]);
  for (const one of builds) {
    const loaded = attempt(one) as { Axios?: { prototype: object } } | undefined;
    if (loaded?.Axios) copies.add(loaded.Axios.prototype);
  }
  return [...copies];
}

/** Nothing where there is no such copy. */
function attempt(load: () => unknown): unknown {
  try {
    return load();
  } catch {
    return undefined;
  }
}

import { randomUUID } from 'node:crypto';
import { shared } from './shared-state.js';

/** `prefix` differs between processes: an object of one process never equals an object of another. */
const known = /* @__PURE__ */ shared('identities', () => ({
  prefix: randomUUID(),
  last: 0,
  texts: new WeakMap<object, string>(),
}));

/** Returns a text that is the same for one object or function, and different for any other, in every process. */
export function identityOf(value: object): string {
  let identity = known.texts.get(value);
  if (identity === undefined) {
    known.last += 1;
    identity = `${known.prefix}.${known.last}`;
    known.texts.set(value, identity);
  }
  return identity;
}

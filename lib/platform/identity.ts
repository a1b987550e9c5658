import { randomUUID } from 'node:crypto';

/** Differs between processes: an object of one process never equals an object of another. */
const PROCESS = randomUUID();
const identities = new WeakMap<object, string>();
let last = 0;

/** Returns a text that is the same for one object or function, and different for any other, in every process. */
export function identityOf(value: object): string {
  let identity = identities.get(value);
  if (identity === undefined) {
    last += 1;
    identity = `${PROCESS}.${last}`;
    identities.set(value, identity);
  }
  return identity;
}

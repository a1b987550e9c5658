import { randomUUID } from 'node:crypto';

/** Returns 16 random hex digits. Takes them from a UUID, which the runtime makes from buffered random bytes. */
export function randomHex16(): string {
  const uuid = randomUUID();
  // The digits 13 and 17 of a version 4 UUID are not random.
  return uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(24, 28);
}

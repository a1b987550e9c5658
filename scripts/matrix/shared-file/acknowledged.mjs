import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { ENTRIES } from './contents.mjs';

/** Processes that write. */
const SLOTS = 8;
const BYTES = 4;

/** The content of a file without acknowledgements. */
export function emptyAcknowledgements() {
  return Buffer.alloc(ENTRIES * SLOTS * BYTES);
}

/**
 * The newest version of each entry that a process acknowledged, in a file that all processes see, and that outlives them. Each
 * writes into a slot of its own.
 */
export class Acknowledged {
  #descriptor;
  #slot;
  #row = new Int32Array(SLOTS);

  /**
   * @param {string} file
   * @param {number} slot
   */
  constructor(file, slot) {
    this.#descriptor = openSync(file, 'r+');
    this.#slot = slot;
  }

  /** @param {number} number */
  versionOf(number) {
    this.#row.fill(0);
    readSync(this.#descriptor, this.#row, 0, SLOTS * BYTES, number * SLOTS * BYTES);
    return Math.max(...this.#row);
  }

  /**
   * @param {number} number
   * @param {number} version
   */
  note(number, version) {
    this.versionOf(number);
    if (version <= (this.#row[this.#slot] ?? 0)) return;
    writeSync(this.#descriptor, Int32Array.of(version), 0, BYTES, (number * SLOTS + this.#slot) * BYTES);
  }

  close() {
    closeSync(this.#descriptor);
  }
}

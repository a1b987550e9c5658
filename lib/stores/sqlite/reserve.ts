import { appendFileSync, rmSync, statSync } from 'node:fs';
import type { DatabaseFile } from './file.js';

/** Bytes by which the reserve grows. */
const CHUNK = 256 * 1024;
const LARGEST = 8 * 1024 * 1024;
/** Bytes that a write adds to the WAL beside the values: the pages of indexes. */
const OVERHEAD = 32 * 1024;

/**
 * Disk space in reserve, so that entries can be deleted from a full disk. Even a deletion needs room at the end of the WAL,
 * which can only be emptied if its pages find room in the database. Hence a file of zeros that is as large as the WAL.
 */
export class DiskReserve {
  readonly #file: DatabaseFile;
  #written = CHUNK;

  constructor(file: DatabaseFile) {
    this.#file = file;
  }

  /** Notes a write; enlarges the reserve from time to time. */
  wrote(bytes: number): void {
    this.#written += bytes + OVERHEAD;
    if (this.#written < CHUNK || this.#file.isInMemory) return;
    this.#written = 0;
    const wanted = Math.min(LARGEST, sizeOf(this.#file.walPath) + CHUNK);
    try {
      for (let size = sizeOf(this.#file.reservePath); size < wanted; size += CHUNK) {
        appendFileSync(this.#file.reservePath, Buffer.alloc(CHUNK), { mode: 0o600 });
      }
    } catch {
      // The disk is full already.
    }
  }

  /** Gives the space back to the disk; the next writes collect it again. */
  release(): void {
    this.#written = CHUNK;
    if (this.#file.isInMemory) return;
    try {
      rmSync(this.#file.reservePath, { force: true });
    } catch {
      // The folder cannot be used, so there is no reserve.
    }
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

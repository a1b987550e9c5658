import { statfs } from 'node:fs/promises';
import { monotonicNow } from '../../platform/real-time.js';

/** Milliseconds; a longer synchronous read blocks the event loop noticeably. */
const SLOW = 5;
/** Milliseconds; a read that long counts as many slow ones. */
const VERY_SLOW = 50;
/** Slow reads after which reads are asynchronous. Single ones are usual on a busy machine; eight quick ones offset one. */
const TOLERATED = 3;
const RECOVERY = 1 / 8;
/** Types of network file systems, which may hang (`statfs(2)`): NFS, SMB, CIFS, SMB2, 9P, AFS, Ceph, FUSE. */
const NETWORK = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997, 0x5346414f, 0x00c36400, 0x65735546]);

/** Milliseconds without synchronous reads after too many slow ones. */
const PAUSE = 1_000;

/**
 * Decides whether small files are read synchronously: about five times as fast as through the thread pool, but nothing
 * else runs meanwhile. That is so after a read that was quick, not in the second after several slow ones, and never on a
 * network file system.
 */
export class ReadPace {
  readonly #folder: string;
  #isQuick = false;
  #slowReads = 0;
  #quickFrom = 0;
  /** Undefined until a read asks for it. */
  #isLocal: boolean | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get isQuick(): boolean {
    return this.#isQuick;
  }

  /** Notes the duration of a read. @param started milliseconds by the monotonic clock */
  took(started: number): void {
    const now = monotonicNow();
    const duration = now - started;
    if (duration < SLOW) this.#slowReads = Math.max(0, this.#slowReads - RECOVERY);
    else this.#slowReads += duration < VERY_SLOW ? 1 : TOLERATED;
    if (this.#slowReads >= TOLERATED) {
      this.#slowReads = 0;
      this.#quickFrom = now + PAUSE;
    }
    if (this.#isLocal === undefined) void this.#findType();
    this.#isQuick = this.#isLocal === true && now >= this.#quickFrom && (this.#isQuick || duration < SLOW);
  }

  async #findType(): Promise<void> {
    this.#isLocal = false;
    try {
      const { type } = await statfs(this.#folder);
      this.#isLocal = !NETWORK.has(type >>> 0);
    } catch {
      // Asked again by the next read: the folder may not exist yet.
      this.#isLocal = undefined;
    }
  }
}

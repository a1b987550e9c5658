import { type MaybePromise, recover } from '../../platform/maybe-promise.js';
import { monotonicNow, pause } from '../../platform/real-time.js';

/** Milliseconds between attempts: at first, and at most. */
const FIRST_DELAY = 1;
const LAST_DELAY = 20;
const GROWTH = 1.5;
/** SQLite's result code for a database that another connection locks. */
export const BUSY = 5;

/**
 * SQLite's primary result code of a driver's error; undefined if it is none.
 *
 * `node:sqlite` has it in `errcode`, sqlite3 in `errno`; both may be extended codes, whose low byte is the primary one.
 */
export function sqliteCode(error: unknown): number | undefined {
  const { errcode, errno } = (error ?? {}) as { errcode?: unknown; errno?: unknown };
  const code = errcode ?? errno;
  // The operating system's errors have negative numbers.
  return typeof code === 'number' && code > 0 ? code & 255 : undefined;
}

/**
 * Attempts something until no other connection locks the database. SQLite's own busy timeout would block the event loop
 * or a thread of the pool; this one does not.
 *
 * @param timeout milliseconds, after which the busy error is thrown
 */
export function retryWhileBusy<T>(attempt: () => MaybePromise<T>, timeout: number): MaybePromise<T> {
  return recover(attempt, (error) => retryAfter(error, attempt, timeout));
}

/** Continues after a failed attempt; throws its error at once if the database was not busy. */
export function retryAfter<T>(error: unknown, attempt: () => MaybePromise<T>, timeout: number): Promise<T> {
  if (sqliteCode(error) !== BUSY || timeout <= 0) throw error;
  return retry(attempt, monotonicNow() + timeout);
}

async function retry<T>(attempt: () => MaybePromise<T>, deadline: number): Promise<T> {
  for (let delay = FIRST_DELAY; ; delay = Math.min(delay * GROWTH, LAST_DELAY)) {
    // Jitter, so that processes that wait for each other do not meet again.
    await pause(delay * (0.5 + Math.random()), { keepsProcess: true });
    try {
      return await attempt();
    } catch (error) {
      if (sqliteCode(error) !== BUSY || monotonicNow() >= deadline) throw error;
    }
  }
}

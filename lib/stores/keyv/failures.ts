import { StoreFailure } from '../store-failure.js';

/** The server has no room for one value. */
const TOO_LARGE = /too large|too long|too big|maximum allowed size|exceeds (the )?max/i;
/** The server can be read, but refuses writes: it is full, or may not be written to. */
const REFUSED =
  /\b(OOM|READONLY|MISCONF|NOPERM|ENOSPC|EROFS|EDQUOT)\b|SQLITE_(FULL|READONLY|BUSY|LOCKED)|(disk|disc)( or \w+)? is full|disk full|database is locked|no space left|read-?only|out of memory/i;

/** Classifies the failure of a write through Keyv. Adapters have no common codes: their messages are those of servers. */
export function writeFailure(error: unknown): StoreFailure {
  if (error instanceof StoreFailure) return error;
  const { message, code } = (error ?? {}) as { message?: unknown; code?: unknown };
  const text = `${String(code)} ${String(message ?? error)}`;
  if (TOO_LARGE.test(text)) return new StoreFailure('entry', error);
  return new StoreFailure(REFUSED.test(text) ? 'refusal' : 'outage', error);
}

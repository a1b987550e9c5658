import { CacheError } from '../../errors.js';
import { type Access, type FailureKind, StoreFailure } from '../store-failure.js';
import { BUSY, sqliteCode } from './busy.js';

// The only place that knows the result codes of SQLite and the error codes of the file system.

/** Primary result codes (https://sqlite.org/rescode.html). */
const CORRUPT = 11;
const NOT_A_DATABASE = 26;
const FULL = 13;
const IO_ERROR = 10;
const READ_ONLY = 8;
const CANNOT_OPEN = 14;
/** TOOBIG, CONSTRAINT, MISMATCH, RANGE: one value cannot be read or written. */
const ENTRY_CODES: ReadonlySet<number> = new Set([CORRUPT, 18, 19, 20, 25]);
/** PERM, BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN, AUTH: reads may go on. */
const REFUSAL_CODES: ReadonlySet<number> = new Set([3, BUSY, 6, 7, READ_ONLY, IO_ERROR, FULL, CANNOT_OPEN, 23]);
/** BUSY, READONLY, IOERR, FULL: nothing can be created now. */
const OPEN_REFUSAL_CODES: ReadonlySet<number> = new Set([BUSY, READ_ONLY, IO_ERROR, FULL]);
const REFUSAL_ERRORS: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EMFILE', 'ENFILE']);

/** Classifies a driver's error; errors that are classified already are returned unchanged. */
export function sqliteFailure(error: unknown, doing: Access | 'open'): Error {
  if (error instanceof StoreFailure || error instanceof CacheError) return error;
  return new StoreFailure(kindOf(error, doing), error);
}

function kindOf(error: unknown, doing: Access | 'open'): FailureKind {
  const code = sqliteCode(error);
  if (code === undefined) {
    return REFUSAL_ERRORS.has((error as { code?: unknown } | undefined)?.code) ? 'refusal' : 'outage';
  }
  if (doing !== 'open' && ENTRY_CODES.has(code)) return 'entry';
  const refusals = doing === 'open' ? OPEN_REFUSAL_CODES : REFUSAL_CODES;
  return doing !== 'read' && refusals.has(code) ? 'refusal' : 'outage';
}

/** SQLite's result code of a failure's cause. */
function causeCode(failure: unknown): number | undefined {
  return sqliteCode(failure instanceof StoreFailure ? failure.cause : failure);
}

/** Whether another connection locked the file for longer than the budget. */
export function isBusy(failure: unknown): boolean {
  return causeCode(failure) === BUSY;
}

/** Whether there is no room for a write: a full disk may also show as an I/O error. */
export function isFull(failure: unknown): boolean {
  const code = causeCode(failure);
  return code === FULL || code === IO_ERROR;
}

/** Whether the file is damaged, or is no database. */
export function isDamaged(failure: unknown): boolean {
  const code = causeCode(failure);
  return code === CORRUPT || code === NOT_A_DATABASE;
}

/** Whether a connection refused a write that another connection may accept later. */
export function isConnectionReadOnly(failure: unknown): boolean {
  const code = causeCode(failure);
  return code === READ_ONLY || code === CANNOT_OPEN;
}

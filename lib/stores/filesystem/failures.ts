import { StoreFailure } from '../store-failure.js';

/** The drive does not answer, such as a network drive after the loss of its server. */
const OUTAGES = new Set(['ENOTCONN', 'ESTALE', 'EHOSTDOWN', 'EHOSTUNREACH', 'ENETDOWN', 'ENETUNREACH', 'ETIMEDOUT']);
/** The process or the machine has no resources for another open file. */
const EXHAUSTED = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);
/** Something else is in the place of one file, or the file is too large. */
const ENTRIES = new Set(['EISDIR', 'ENOTEMPTY', 'EEXIST', 'EFBIG']);
const ABSENT = new Set(['ENOENT', 'ENOTDIR']);

export function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException | null)?.code);
}

/** Whether an error says that there is no such file. */
export function isAbsent(error: unknown): boolean {
  return ABSENT.has(codeOf(error));
}

/** Returns the failure to throw for an error while one file was read; undefined if only that file cannot be read. */
export function readFailure(error: unknown): StoreFailure | undefined {
  const code = codeOf(error);
  if (OUTAGES.has(code)) return new StoreFailure('outage', error);
  return EXHAUSTED.has(code) ? new StoreFailure('refusal', error) : undefined;
}

/** Returns the failure to throw for an error while a file was written or removed, or a folder was listed. */
export function failureOf(error: unknown): StoreFailure {
  if (error instanceof StoreFailure) return error;
  const code = codeOf(error);
  if (OUTAGES.has(code)) return new StoreFailure('outage', error);
  return new StoreFailure(ENTRIES.has(code) ? 'entry' : 'refusal', error);
}

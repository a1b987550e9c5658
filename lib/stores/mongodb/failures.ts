import { CacheError } from '../../errors.js';
import { type Access, StoreFailure } from '../store-failure.js';

/** Codes of documents that are too large: BSONObjectTooLarge, and the result of an update. */
const TOO_LARGE: ReadonlySet<unknown> = new Set([10_334, 17_419, 17_420]);
/**
 * Codes of a server that answers nothing else either: HostUnreachable, HostNotFound, AuthenticationFailed, MaxTimeMSExpired,
 * NetworkTimeout, ShutdownInProgress, ExceededTimeLimit, SocketException, InterruptedAtShutdown.
 */
const UNAVAILABLE: ReadonlySet<unknown> = new Set([6, 7, 18, 50, 89, 91, 262, 9_001, 11_600]);
/** Errors that a server returned, by their names: the class differs between copies of the driver. */
const ANSWERED = new Set(['MongoServerError', 'MongoBulkWriteError', 'MongoWriteConcernError']);
/** Errors of the driver about one document: it cannot be serialized. */
const NOT_SERIALIZED = new Set(['RangeError', 'BSONError', 'BSONRuntimeError']);

/** Returns a failure of MongoDB as one of the three kinds; a mistake of set-up as it is. */
export function classified(error: unknown, access: Access): Error {
  if (error instanceof StoreFailure || error instanceof CacheError) return error;
  const { name = '', code } = (error ?? {}) as { name?: string; code?: unknown };
  if (TOO_LARGE.has(code) || NOT_SERIALIZED.has(name)) return new StoreFailure('entry', error);
  // The driver wraps a lost connection in an error of a bulk write as well. Only the code comes from the server.
  const answered = ANSWERED.has(name) && typeof code === 'number';
  const refused = access === 'write' && answered && !UNAVAILABLE.has(code);
  return new StoreFailure(refused ? 'refusal' : 'outage', error);
}

/** Code of a violated unique index. */
export const DUPLICATE_KEY = 11_000;

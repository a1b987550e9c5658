import { CacheError } from '../../errors.js';
import { type Access, type FailureKind, StoreFailure } from '../store-failure.js';

/** Codes of error replies by which a server that can be read refuses a write. `ERR`: a command that it does not accept. */
const REFUSALS: ReadonlySet<string> = new Set(['OOM', 'READONLY', 'MISCONF', 'NOREPLICAS', 'NOPERM', 'ERR']);
/** Codes that concern the one value of the command. */
const ENTRIES: ReadonlySet<string> = new Set(['WRONGTYPE']);
/** Codes after which another node may be the master. */
const MOVES: ReadonlySet<string> = new Set(['READONLY', 'MOVED', 'CLUSTERDOWN', 'MASTERDOWN']);
const TOO_LARGE = /^ERR string exceeds maximum allowed size/;
/** Before version 7 a script's error replaces the error reply of its command: `ERR Error running script (...): -OOM ...`. */
const IN_SCRIPT = /^ERR Error running script[\s\S]*?: -([A-Z]+) /;
const CODE = /^([A-Z]{3,}) /;
/** Replies after which the server closes the connection. */
const FAREWELL = /^ERR (Protocol error|max number of clients)/;

/**
 * Returns the code of an error reply of a server (`OOM`, `WRONGTYPE` ...); `undefined` for other errors, after which the
 * connection is unusable.
 */
export function replyCode(error: unknown): string | undefined {
  const message = String((error as Error | null | undefined)?.message);
  if (FAREWELL.test(message)) return undefined;
  return (IN_SCRIPT.exec(message) ?? CODE.exec(message))?.[1];
}

/** A failure of one of several servers, each of which has a part of the cache: the rest of the cache works. */
export class PartialFailure extends Error {
  constructor(cause: unknown) {
    super(String((cause as Error | null | undefined)?.message ?? cause), { cause });
  }
}

/** Whether an error reply shows that the server is not the master of the key (any more). */
export function isMove(error: unknown): boolean {
  return MOVES.has(replyCode(error) ?? '');
}

/**
 * Classifies an error of node-redis by the error reply of the server. Errors of the connection, and error replies that no
 * write refusal explains (LOADING, CLUSTERDOWN, NOAUTH, WRONGPASS ...), are outages. A partial failure is a refusal, since an
 * outage would cost the hits of the other servers.
 */
export function redisFailure(error: unknown, access: Access): unknown {
  if (error instanceof StoreFailure || error instanceof CacheError) return error;
  return new StoreFailure(kindOf(error, access), error);
}

function kindOf(error: unknown, access: Access): FailureKind {
  if (error instanceof PartialFailure) return 'refusal';
  const code = replyCode(error) ?? '';
  if (ENTRIES.has(code) || TOO_LARGE.test(String((error as Error | null | undefined)?.message))) return 'entry';
  return access === 'write' && REFUSALS.has(code) ? 'refusal' : 'outage';
}

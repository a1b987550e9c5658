import { isBuiltin } from 'node:module';
import { CacheError } from '../../errors.js';
import { canResolve, missingPackage } from '../../platform/load-client.js';
import { shared } from '../../platform/shared-state.js';
import type { SqliteDriver } from './driver.js';
import { loadKeyvDriver } from './keyv-driver.js';
import { type NodeSqlite, nodeDriver } from './node-driver.js';

export type SqliteDriverName = SqliteDriver['name'];

const NODE_SQLITE = 'node:sqlite';
const WHAT = 'backend "sqlite"';

/**
 * Returns the error for a driver that the runtime or the installed packages do not have; undefined if it can be tried.
 *
 * @param forced undefined: either driver will do
 */
export function missingDriver(forced: SqliteDriverName | undefined): CacheError | undefined {
  if (forced !== 'keyv' && isBuiltin(NODE_SQLITE)) return undefined;
  if (forced !== 'node') return canResolve('@keyv/sqlite') ? undefined : missingPackage('@keyv/sqlite', WHAT);
  return missingNodeSqlite();
}

function missingNodeSqlite(): CacheError {
  const message = `driver "node" of ${WHAT} needs ${NODE_SQLITE}, which Node.js has from version 22.13; use driver "keyv" with the package @keyv/sqlite instead`;
  return new CacheError('ERR_CACHE_MISSING_PACKAGE', message);
}

/**
 * Loads a driver: the forced one, else `node:sqlite` if it is stable, else `@keyv/sqlite` if it is installed and works,
 * else `node:sqlite` as it is.
 *
 * @throws CacheError `ERR_CACHE_MISSING_PACKAGE` or `ERR_CACHE_BROKEN_PACKAGE`
 */
export async function loadDriver(forced: SqliteDriverName | undefined): Promise<SqliteDriver> {
  if (forced === 'keyv') return loadKeyvDriver();
  const loaded = loadNodeSqlite();
  if (!loaded) {
    if (forced === 'node') throw missingNodeSqlite();
    return loadKeyvDriver();
  }
  const driver = nodeDriver(loaded.sqlite);
  if (forced === 'node' || !loaded.isExperimental || !canResolve('@keyv/sqlite')) return driver;
  return loadKeyvDriver().catch(() => driver);
}

/** Only the first load of a process shows whether the runtime warns. */
const runtime = () => shared('sqlite runtime', () => ({ isExperimental: false }));

/**
 * Loads `node:sqlite` without the ExperimentalWarning that some versions of Node.js emit; undefined if there is none.
 * `getBuiltinModule` works in every module system and is left alone by bundlers. The warning is emitted by the runtime's own
 * `process`, of which test runners such as Jest give programs a copy.
 */
function loadNodeSqlite(): { readonly sqlite: NodeSqlite; readonly isExperimental: boolean } | undefined {
  if (!isBuiltin(NODE_SQLITE)) return undefined;
  const owner = process.getBuiltinModule('node:process');
  const { emitWarning } = owner;
  owner.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    const [type] = rest;
    const name = typeof type === 'object' ? (type as { type?: unknown } | null)?.type : type;
    if (name === 'ExperimentalWarning' && String(warning).includes('SQLite')) runtime().isExperimental = true;
    else Reflect.apply(emitWarning, owner, [warning, ...rest]);
  };
  try {
    const sqlite = process.getBuiltinModule(NODE_SQLITE) as NodeSqlite | undefined;
    return sqlite && { sqlite, isExperimental: runtime().isExperimental };
  } finally {
    owner.emitWarning = emitWarning;
  }
}

import { CacheError } from '../../errors.js';
import { shared } from '../../platform/shared-state.js';
import type { SqliteDriver } from './driver.js';

interface OpenFile {
  readonly driver: SqliteDriver['name'];
  connections: number;
}

/** The files that this process has open, by their identity. */
const openFiles = () => shared('sqlite files', () => new Map<string, OpenFile>());

/** The driver that has a file open in this process. */
export function driverInUse(identity: string | undefined): SqliteDriver['name'] | undefined {
  return identity === undefined ? undefined : openFiles().get(identity)?.driver;
}

/**
 * Registers a connection. The drivers contain SQLite once each, and locks of POSIX belong to the process: two drivers on
 * one file would not see each other's locks, and would damage it.
 *
 * @returns a function for the end of the connection
 * @throws CacheError `ERR_CACHE_STATE` if the other driver has the file open
 */
export function registerConnection(identity: string, driver: SqliteDriver['name']): () => void {
  const files = openFiles();
  const file = files.get(identity) ?? { driver, connections: 0 };
  if (file.driver !== driver) {
    const message = `driver: "${driver}" cannot open a file that this process has open with driver "${file.driver}"; use one driver for all caches of the file`;
    throw new CacheError('ERR_CACHE_STATE', message);
  }
  files.set(identity, file);
  file.connections += 1;
  let isOpen = true;
  return () => {
    if (isOpen) file.connections -= 1;
    isOpen = false;
    if (file.connections === 0) files.delete(identity);
  };
}

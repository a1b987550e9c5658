import type { Database } from './database.js';

/** Pages that one step returns to the file system. */
const PAGES_AT_ONCE = 100;
/** Unused pages that are worth a vacuum, and the part of the file that they have to be. */
const WORTHWHILE_PAGES = 64;
const WORTHWHILE_PART = 0.25;

async function pragma(database: Database, name: string): Promise<number> {
  const row = await database.read((connection) => connection.get(`PRAGMA ${name}`));
  return Number(Object.values(row ?? {})[0]);
}

/** Whether much of the file is unused. */
export async function isVacuumWorthwhile(database: Database): Promise<boolean> {
  const free = await pragma(database, 'freelist_count');
  return free > WORTHWHILE_PAGES && free > WORTHWHILE_PART * (await pragma(database, 'page_count'));
}

/**
 * Returns the unused pages of a file to the operating system, in steps; yields the number of pages of each.
 *
 * @param isRewriteAllowed whether a file without incremental vacuum (another program created it) is rewritten, in one step
 */
export async function* vacuum(database: Database, isRewriteAllowed: boolean): AsyncGenerator<number> {
  if ((await pragma(database, 'auto_vacuum')) !== 2) {
    if (!isRewriteAllowed) return;
    yield await pragma(database, 'freelist_count');
    await database.write((connection) => connection.rewrite());
  }
  for (let left = await pragma(database, 'freelist_count'); left > 0; ) {
    await database.write((connection) => connection.run(`PRAGMA incremental_vacuum(${PAGES_AT_ONCE})`));
    const after = await pragma(database, 'freelist_count');
    yield left - after;
    // Another process may have freed pages meanwhile.
    if (after >= left) break;
    left = after;
  }
  await checkpoint(database);
}

/** Writes the WAL into the file and empties it, unless a reader needs it. */
export async function checkpoint(database: Database): Promise<void> {
  await database.write((connection) => connection.run('PRAGMA wal_checkpoint(TRUNCATE)'));
}

import type { MaybePromise } from '../../platform/maybe-promise.js';
import { loadDriver, type SqliteDriverName } from './choose-driver.js';
import type { SqliteConnection, SqliteDriver, Work } from './driver.js';
import { isConnectionReadOnly, isFull } from './failures.js';
import type { DatabaseFile } from './file.js';
import { driverInUse, registerConnection } from './open-files.js';

/** The tables that a file has to have. */
export interface Schema {
  /** A query that finds a row if the tables are there. */
  readonly exists: string;
  readonly create: Work<void>;
  /** Prepares a connection that can write. */
  onOpen?(connection: SqliteConnection): MaybePromise<unknown>;
}

export interface DatabaseOptions {
  readonly driver: SqliteDriverName | undefined;
  /** Milliseconds. */
  readonly busyTimeout: number;
  readonly fastSave: boolean;
}

export interface OpenDatabase {
  readonly connection: SqliteConnection;
  readonly identity: string;
  /** Of a file that can only be read. */
  readonly fingerprint?: string;
  /** Why the file can only be read. */
  readonly refusal?: unknown;
}

/** Opens a file, and creates it with its tables if it does not exist; only for reading if nothing can be written. */
export async function openDatabase(
  file: DatabaseFile,
  options: DatabaseOptions,
  schema: Schema,
): Promise<OpenDatabase> {
  let obstacle: unknown;
  // Without a driver no file is left behind.
  if (file.identity() === undefined) await loadDriver(options.driver);
  try {
    file.create();
  } catch (error) {
    obstacle = error;
  }
  const identity = file.identity();
  if (identity === undefined) throw obstacle;
  const driver = await loadDriver(options.driver ?? driverInUse(identity));
  const release = file.isInMemory ? () => {} : registerConnection(identity, driver.name);
  try {
    const opened = await openOver(driver, file, options, schema);
    return { ...opened, connection: releasing(opened.connection, release), identity };
  } catch (error) {
    release();
    // Such as too many open files, which SQLite does not distinguish from other reasons.
    throw obstacle ?? error;
  }
}

async function openOver(
  driver: SqliteDriver,
  file: DatabaseFile,
  options: DatabaseOptions,
  schema: Schema,
): Promise<Omit<OpenDatabase, 'identity'>> {
  try {
    return { connection: await openForWriting(driver, file, options, schema) };
  } catch (refusal) {
    if (!isFull(refusal) && !isConnectionReadOnly(refusal)) throw refusal;
    const fingerprint = file.fingerprint();
    if (!file.isCompleteWithoutWal()) throw refusal;
    const connection = await openForReading(driver, file, options, schema).catch(() => undefined);
    if (!connection) throw refusal;
    return { connection, fingerprint, refusal };
  }
}

/** Opens a file for writing, and creates its tables if it has none. */
export async function openForWriting(
  driver: SqliteDriver,
  file: DatabaseFile,
  { busyTimeout, fastSave }: DatabaseOptions,
  schema: Schema,
): Promise<SqliteConnection> {
  const connection = await driver.open({ file: file.path, busyTimeout });
  try {
    // Only before the first table and before the change to WAL.
    await connection.run('PRAGMA auto_vacuum = 2');
    await connection.run('PRAGMA journal_mode = WAL');
    await connection.run(`PRAGMA synchronous = ${fastSave ? 'OFF' : 'NORMAL'}`);
    if (!(await connection.get(schema.exists))) await connection.transaction(schema.create);
    await schema.onOpen?.(connection);
    return connection;
  } catch (error) {
    await connection.close().catch(() => {});
    throw error;
  }
}

/** A read-only or full medium has no room for the files that WAL needs. */
async function openForReading(
  driver: SqliteDriver,
  file: DatabaseFile,
  { busyTimeout }: DatabaseOptions,
  schema: Schema,
): Promise<SqliteConnection> {
  const connection = await driver.open({ file: file.path, busyTimeout, immutable: true });
  try {
    if (!(await connection.get(schema.exists))) throw new Error('the file has no tables of this package');
    return connection;
  } catch (error) {
    await connection.close().catch(() => {});
    throw error;
  }
}

/** Makes the connection call `release` after it has given its locks back. */
function releasing(connection: SqliteConnection, release: () => void): SqliteConnection {
  const close = connection.close.bind(connection);
  connection.close = () => close().finally(release);
  return connection;
}

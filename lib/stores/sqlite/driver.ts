import type { MaybePromise } from '../../platform/maybe-promise.js';

// The interface between the SQLite store and its drivers. Statements are prepared once for each connection.

/** Sorts after every key. By its number, since one character beyond ASCII doubles the memory of the whole build. */
export const LAST_KEY = /* @__PURE__ */ String.fromCodePoint(0x10ffff);

export type SqlValue = string | number | Uint8Array | null;
export type Row = Readonly<Record<string, unknown>>;

export interface Statement {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

/**
 * A transaction as a generator: it yields statements and receives their rows, so that one text runs on synchronous and
 * on asynchronous drivers. It may run again from the start if the database was busy.
 */
export type Work<T> = () => Generator<Statement, T, readonly Row[]>;

/** An open database. Methods answer at once with `node:sqlite`, unless another process locks the database. */
export interface SqliteConnection {
  /** Returns the first row of a statement that only reads. */
  get(sql: string, ...parameters: SqlValue[]): MaybePromise<Row | undefined>;
  /** Returns all rows of a statement that only reads. */
  many(sql: string, ...parameters: SqlValue[]): MaybePromise<readonly Row[]>;
  /** Runs a statement that writes; returns the rows of its RETURNING clause. */
  run(sql: string, ...parameters: SqlValue[]): MaybePromise<readonly Row[]>;
  /** Runs statements in one transaction: all of them take effect, or none. */
  transaction<T>(work: Work<T>): MaybePromise<T>;
  /** Rewrites the whole file, with incremental vacuum from then on, outside of the calling thread. */
  rewrite(): Promise<unknown>;
  close(): Promise<void>;
}

export interface ConnectionOptions {
  /** An absolute path, or `':memory:'`. */
  readonly file: string;
  /** Milliseconds to retry while another connection locks the database. */
  readonly busyTimeout: number;
  /** Opens a file that nothing can change meanwhile (a read-only medium), without locks or other files. */
  readonly immutable?: boolean;
}

/** A driver that has been loaded. */
export interface SqliteDriver {
  readonly name: 'node' | 'keyv';
  open(options: ConnectionOptions): Promise<SqliteConnection>;
}

export function statement(sql: string, ...parameters: SqlValue[]): Statement {
  return { sql, parameters };
}

/** The name of a file for SQLite, as a URI if it is opened as immutable. */
export function immutableUri(file: string): string {
  return `file:${encodeURI(file).replaceAll('#', '%23').replaceAll('?', '%3F')}?immutable=1`;
}

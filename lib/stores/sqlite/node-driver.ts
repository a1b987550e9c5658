import { Worker } from 'node:worker_threads';
import type { MaybePromise } from '../../platform/maybe-promise.js';
import { retryAfter, retryWhileBusy } from './busy.js';
import {
  immutableUri,
  type Row,
  type SqliteConnection,
  type SqliteDriver,
  type SqlValue,
  type Statement,
  type Work,
} from './driver.js';

/** The part of `node:sqlite` that is used. */
interface PreparedStatement {
  get(...parameters: readonly SqlValue[]): Row | undefined;
  all(...parameters: readonly SqlValue[]): Row[];
}

interface Database {
  prepare(sql: string): PreparedStatement;
  close(): void;
}

export interface NodeSqlite {
  readonly DatabaseSync: new (path: string, options?: { readonly readOnly?: boolean }) => Database;
}

/** Program of a thread: a rewrite takes seconds. It has a connection of its own, in the same SQLite. */
const REWRITE = `
  const { workerData } = process.getBuiltinModule('node:worker_threads');
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const database = new DatabaseSync(workerData.file);
  for (const sql of ['PRAGMA busy_timeout = ' + workerData.busyTimeout, 'PRAGMA auto_vacuum = 2', 'VACUUM']) {
    database.prepare(sql).all();
  }
  database.close();
`;

/** The driver over `node:sqlite`. Everything happens in the calling thread, so that a read costs no turn. */
export function nodeDriver(sqlite: NodeSqlite): SqliteDriver {
  return {
    name: 'node',
    async open({ file, busyTimeout, immutable = false }) {
      const open = () =>
        immutable ? new sqlite.DatabaseSync(immutableUri(file), { readOnly: true }) : new sqlite.DatabaseSync(file);
      return new NodeConnection(await retryWhileBusy(open, busyTimeout), file, busyTimeout);
    },
  };
}

class NodeConnection implements SqliteConnection {
  readonly #database: Database;
  readonly #statements = new Map<string, PreparedStatement>();
  readonly #file: string;
  readonly #busyTimeout: number;
  #closed = false;

  constructor(database: Database, file: string, busyTimeout: number) {
    this.#database = database;
    this.#file = file;
    this.#busyTimeout = busyTimeout;
  }

  get(sql: string, ...parameters: SqlValue[]): MaybePromise<Row | undefined> {
    try {
      return this.#prepare(sql).get(...parameters);
    } catch (error) {
      return retryAfter(error, () => this.#prepare(sql).get(...parameters), this.#busyTimeout);
    }
  }

  many(sql: string, ...parameters: SqlValue[]): MaybePromise<readonly Row[]> {
    return retryWhileBusy(() => this.#prepare(sql).all(...parameters), this.#busyTimeout);
  }

  run(sql: string, ...parameters: SqlValue[]): MaybePromise<readonly Row[]> {
    return this.many(sql, ...parameters);
  }

  transaction<T>(work: Work<T>): MaybePromise<T> {
    return retryWhileBusy(() => this.#attempt(work), this.#busyTimeout);
  }

  rewrite(): Promise<unknown> {
    const workerData = { file: this.#file, busyTimeout: this.#busyTimeout };
    const worker = new Worker(REWRITE, { eval: true, workerData, execArgv: ['--no-warnings'] });
    return new Promise((resolve, reject) => worker.once('error', reject).once('exit', resolve));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#statements.clear();
    this.#database.close();
  }

  #attempt<T>(work: Work<T>): T {
    // Prepared like every statement: in Deno, the errors of `exec` have no code.
    this.#prepare('BEGIN IMMEDIATE').all();
    try {
      const steps = work();
      let step = steps.next([]);
      while (!step.done) step = steps.next(this.#all(step.value));
      this.#prepare('COMMIT').all();
      return step.value;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  /** SQLite has rolled back by itself after some errors, such as a full disk. */
  #rollBack(): void {
    try {
      this.#prepare('ROLLBACK').all();
    } catch {
      // No transaction is active.
    }
  }

  #all({ sql, parameters }: Statement): Row[] {
    return this.#prepare(sql).all(...parameters);
  }

  #prepare(sql: string): PreparedStatement {
    const prepared = this.#statements.get(sql);
    if (prepared) return prepared;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

import { loadBeneath, loadClient } from '../../platform/load-client.js';

/** A statement of better-sqlite3 or of node:sqlite, as far as both are alike. */
interface Statement {
  all(...parameters: unknown[]): Record<string, unknown>[];
  run(...parameters: unknown[]): unknown;
  /** better-sqlite3 alone: whether it gives rows. */
  readonly reader?: boolean;
}

interface Database {
  prepare(sql: string): Statement;
  close(): void;
}

type DatabaseClass = new (file: string) => Database;

/**
 * A driver for @keyv/sqlite 6, whose own turn bytes into JSON. @keyv/sqlite 4 takes no driver, and keeps bytes by itself.
 */
export const bytesDriver = {
  name: 'bytes',
  async connect({ filename, busyTimeout }: { readonly filename: string; readonly busyTimeout: number }) {
    const open = await databaseClass();
    const database = new open(filename);
    // Before all else: opening a file that another process is making needs it already.
    database.prepare(`PRAGMA busy_timeout = ${busyTimeout}`).all();
    const statements = new Map<string, Statement>();
    const prepare = (sql: string): Statement => {
      const statement = statements.get(sql) ?? database.prepare(sql);
      statements.set(sql, statement);
      return statement;
    };
    return {
      async query(sql: string, ...parameters: unknown[]): Promise<Record<string, unknown>[]> {
        const statement = prepare(sql);
        if (statement.reader !== false) return statement.all(...parameters);
        statement.run(...parameters);
        return [];
      },
      async close() {
        database.close();
      },
    };
  },
};

/** better-sqlite3, which comes with @keyv/sqlite 6, or Node's own where its native part was not built. */
async function databaseClass(): Promise<DatabaseClass> {
  try {
    const Better = await loadBeneath<DatabaseClass>('@keyv/sqlite', 'better-sqlite3', 'backend "sqlite"');
    // Only opening shows whether the native part is there.
    new Better(':memory:').close();
    return Better;
  } catch {
    const { DatabaseSync } = await loadClient<{ DatabaseSync: DatabaseClass }>('node:sqlite', 'backend "sqlite"');
    return DatabaseSync;
  }
}

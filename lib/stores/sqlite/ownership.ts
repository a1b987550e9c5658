import { open } from 'node:fs/promises';
import type { SqliteConnection } from './driver.js';

/**
 * Whose file it is: `own`, of this package alone; `shared`, it also has tables of others; `unknown`, nothing shows that it
 * is a database of this package.
 */
export type Ownership = 'own' | 'shared' | 'unknown';

const OWN_TABLE = /^(?:responses_v\d+(?:_\w+)?|leases_v\d+)$/;
/** Tables that SQLite creates. */
const INTERNAL_TABLE = /^sqlite_/;
/** The row of a table in the schema, as bytes: type, name, name of the table, number of its root page, SQL. */
const TABLE_ROW = /table([\w ]{1,200})\1.{1,4}CREATE (?:VIRTUAL )?TABLE/gs;
/** The head of an entry, as bytes. */
const ENTRY = /AKC2[rvd][-SEB]\d{26}/;
/** The beginning of every database. */
const SIGNATURE = 'SQLite format 3\0';
/** Bytes of the smallest page. */
const PAGE = 512;
const CHUNK = 1024 * 1024;
/** Bytes of a chunk that the next one repeats. */
const OVERLAP = 4096;

/** Decides by the schema. @throws the driver's error if it cannot be read */
export async function ownershipBySchema(connection: SqliteConnection): Promise<Ownership> {
  const rows = await connection.many("SELECT name FROM sqlite_master WHERE type = 'table'");
  // A database without tables has nothing that could be lost.
  return rows.length === 0 ? 'own' : ownershipOf(rows.map(({ name }) => String(name)));
}

/**
 * Decides by the bytes of files that SQLite cannot read. No connection of this process may have them open: closing a file
 * would release its locks (POSIX).
 */
export async function ownershipByBytes(files: readonly string[]): Promise<Ownership> {
  const tables = new Set<string>();
  let hasEntry = false;
  let isEmpty = true;
  let bytes = 0;
  for (const file of files) {
    for await (const chunk of chunksOf(file)) {
      // A page that is not whole has no tables.
      if (bytes === 0 && chunk.byteLength < PAGE && chunk.indexOf(SIGNATURE) === 0) continue;
      bytes += chunk.byteLength;
      isEmpty &&= chunk.every((byte) => byte === 0);
      const text = chunk.toString('latin1');
      for (const [, name = ''] of text.matchAll(TABLE_ROW)) tables.add(name);
      hasEntry ||= ENTRY.test(text);
    }
  }
  // A file of zeros remains after a power cut.
  return tables.size === 0 && (hasEntry || isEmpty) ? 'own' : ownershipOf([...tables]);
}

function ownershipOf(tables: readonly string[]): Ownership {
  const named = tables.filter((name) => !INTERNAL_TABLE.test(name));
  if (named.length === 0) return 'unknown';
  return named.every((name) => OWN_TABLE.test(name)) ? 'own' : 'shared';
}

async function* chunksOf(file: string): AsyncGenerator<Buffer> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (!handle) return;
  try {
    const buffer = Buffer.alloc(CHUNK);
    for (let position = 0; ; position += CHUNK - OVERLAP) {
      const { bytesRead } = await handle.read(buffer, 0, CHUNK, position);
      if (bytesRead > 0) yield buffer.subarray(0, bytesRead);
      if (bytesRead < CHUNK) return;
    }
  } finally {
    await handle.close();
  }
}

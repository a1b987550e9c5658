import { closeSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import * as path from 'node:path';

export interface SqliteFileOptions {
  /**
   * Resolves a relative path in the system's folder for temporary files. Default: `false`.
   *
   * @example
   * new SqliteCache({ cacheName: 'reports', useTemp: true });
   */
  readonly useTemp?: boolean | undefined;
  /**
   * Resolves a relative path in the user's cache folder. Default: `false`.
   *
   * @example
   * new SqliteCache({ cacheName: 'reports', useCacheDir: true });
   */
  readonly useCacheDir?: boolean | undefined;
}

export const IN_MEMORY = ':memory:';
const WAL = '-wal';
const RESERVE = '-reserve';
/** Suffixes of the files that SQLite and this package keep beside a database. */
const COMPANIONS = [WAL, '-shm', '-journal', RESERVE];

/** Returns the absolute path of a cache's file; `.sqlite` is added to a name without an extension. */
export function sqliteFile(cacheName: string, options: SqliteFileOptions): string {
  if (cacheName === IN_MEMORY) return IN_MEMORY;
  const file = path.extname(cacheName) === '' ? `${cacheName}.sqlite` : cacheName;
  if (options.useTemp) return path.resolve(tmpdir(), file);
  return options.useCacheDir ? path.resolve(cacheFolder(), file) : path.resolve(file);
}

/** The XDG Base Directory Specification ignores an empty variable and a relative path. */
function cacheFolder(): string {
  const { LOCALAPPDATA: local = '', XDG_CACHE_HOME: xdg = '' } = process.env;
  if (process.platform === 'darwin') return path.join(homedir(), 'Library', 'Caches');
  if (process.platform === 'win32') return path.isAbsolute(local) ? local : path.join(homedir(), 'AppData', 'Local');
  return path.isAbsolute(xdg) ? xdg : path.join(homedir(), '.cache');
}

/** The file of a database, as the file system sees it. */
export class DatabaseFile {
  readonly path: string;

  constructor(file: string) {
    this.path = file;
  }

  get isInMemory(): boolean {
    return this.path === IN_MEMORY;
  }

  get walPath(): string {
    return this.path + WAL;
  }

  get reservePath(): string {
    return this.path + RESERVE;
  }

  /**
   * Creates the file with its folder if it does not exist. SQLite gives its other files the mode of this one. An existing
   * file is not opened: closing it would release the locks of this process's other connections to it (POSIX).
   */
  create(): void {
    if (this.isInMemory) return;
    mkdirSync(path.dirname(this.path), { recursive: true, mode: 0o700 });
    try {
      closeSync(openSync(this.path, 'wx', 0o600));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }

  /** Identifies the file that has the path now. The number cannot be reused while a connection has the file open. */
  identity(): string | undefined {
    if (this.isInMemory) return this.path;
    const found = statSync(this.path, { throwIfNoEntry: false });
    return found && `${found.dev}:${found.ino}`;
  }

  /** Changes whenever anything is written to the file or its WAL. */
  fingerprint(): string {
    const stats = ['', WAL].map((suffix) => statSync(this.path + suffix, { throwIfNoEntry: false }));
    return JSON.stringify(stats.map((found) => found && [found.dev, found.ino, found.size, found.mtimeMs]));
  }

  /** Whether the file can be read without SQLite's other files: changes that are only in the WAL would be missed. */
  isCompleteWithoutWal(): boolean {
    const [file, wal] = ['', WAL].map((suffix) => statSync(this.path + suffix, { throwIfNoEntry: false })?.size ?? 0);
    return file !== 0 && wal === 0;
  }

  remove(): void {
    for (const suffix of ['', ...COMPANIONS]) rmSync(this.path + suffix, { force: true });
  }

  /** Bytes of the file and of those beside it. */
  async size(): Promise<number> {
    const sizes = ['', ...COMPANIONS].map((suffix) =>
      stat(this.path + suffix).then(
        ({ size }) => size,
        () => 0,
      ),
    );
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  }
}

import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { stat } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import * as path from 'node:path';
import { randomHex16 } from '../../platform/random.js';

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
const SHM = '-shm';
const JOURNAL = '-journal';
const RESERVE = '-reserve';
/** Suffixes of the files that SQLite and this package keep beside a database. */
const COMPANIONS = [WAL, SHM, JOURNAL, RESERVE];

/** The end of the names of damaged files of this package that were set aside. */
const DAMAGED = /^\.damaged-\d{8}T\d{9}Z(?:-wal|-journal)?$/;

/** The end of the names of files that are being written. */
const TEMPORARY = /^\.[0-9a-f]{16}\.tmp(?:-page)?(?:-wal|-shm|-journal)?$/;
/** Milliseconds after which a killed process has left such a file. */
const ABANDONED = 600_000;

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
      // A link to a file that does not exist.
      if (this.identity() === undefined) closeSync(openSync(this.path, 'a', 0o600));
    }
  }

  /** The file that a link refers to, beside which SQLite has its other files. */
  real(): DatabaseFile {
    try {
      return new DatabaseFile(realpathSync(this.path));
    } catch {
      return this;
    }
  }

  /** Identifies the file that has the path now. The number cannot be reused while a connection has the file open. */
  identity(): string | undefined {
    return this.isInMemory ? this.path : identityOf(this.path);
  }

  /** The same of its WAL. */
  walIdentity(): string | undefined {
    return this.isInMemory ? undefined : identityOf(this.walPath);
  }

  /** Changes whenever anything is written to the file or its WAL. */
  fingerprint(): string {
    const real = this.real();
    const stats = [real.path, real.walPath].map((file) => statSync(file, { throwIfNoEntry: false }));
    return JSON.stringify(stats.map((found) => found && [found.dev, found.ino, found.size, found.mtimeMs]));
  }

  /** Whether the file can be read without SQLite's other files: changes that are only in the WAL would be missed. */
  isCompleteWithoutWal(): boolean {
    const real = this.real();
    const sizeOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    return sizeOf(real.path) !== 0 && sizeOf(real.walPath) === 0;
  }

  remove(): void {
    for (const suffix of ['', ...COMPANIONS]) rmSync(this.path + suffix, { force: true });
  }

  /**
   * Moves the file and its journals to another name; returns that name.
   *
   * @param mark `damaged` for a file of this package, which {@link removeDamaged} removes
   * @param substitute a file that takes the place at once, so that the path always exists
   */
  setAside(mark: 'damaged' | 'replaced', substitute?: string): string {
    const aside = `${this.path}.${mark}-${new Date().toISOString().replace(/[-:.]/g, '')}`;
    // A journal beside another database would damage it.
    for (const suffix of [WAL, JOURNAL]) moveUnlessEmpty(this.path + suffix, aside + suffix);
    for (const suffix of [SHM, RESERVE]) rmSync(this.path + suffix, { force: true });
    if (substitute === undefined) {
      renameSync(this.path, aside);
      return aside;
    }
    try {
      linkSync(this.path, aside);
    } catch {
      // The file system has no links.
      renameSync(this.path, aside);
    }
    renameSync(substitute, this.path);
    return aside;
  }

  /** Returns a new name beside the file. */
  temporaryPath(): string {
    return `${this.path}.${randomHex16()}.tmp`;
  }

  /** Removes damaged files that were set aside, except one. */
  removeDamaged(kept?: string): void {
    for (const file of this.#beside(DAMAGED)) {
      if (kept === undefined || !file.startsWith(kept)) rmSync(file, { force: true });
    }
  }

  /** Removes temporary files of processes that were killed. */
  removeAbandoned(): void {
    for (const file of this.#beside(TEMPORARY)) {
      const found = statSync(file, { throwIfNoEntry: false });
      if (found && Date.now() - found.mtimeMs > ABANDONED) rmSync(file, { force: true });
    }
  }

  /** Files whose names are the file's with that end. */
  #beside(end: RegExp): string[] {
    if (this.isInMemory) return [];
    const [folder, name] = [path.dirname(this.path), path.basename(this.path)];
    const found = readdirSync(folder).filter((one) => one.startsWith(name) && end.test(one.slice(name.length)));
    return found.map((one) => path.join(folder, one));
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

function identityOf(file: string): string | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}`;
}

function moveUnlessEmpty(from: string, to: string): void {
  if ((statSync(from, { throwIfNoEntry: false })?.size ?? 0) > 0) renameSync(from, to);
  else rmSync(from, { force: true });
}

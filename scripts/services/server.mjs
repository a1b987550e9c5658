import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * A real server on a free port of 127.0.0.1, with a folder of its own.
 *
 * @typedef {object} Server
 * @property {string} url
 * @property {() => Promise<void>} start after `kill`: on the same port, with the same folder
 * @property {() => Promise<void>} kill as if the machine went
 * @property {() => void} freeze it stays, and answers nothing, until it is resumed
 * @property {() => void} resume
 * @property {() => Promise<void>} stop ends it and removes its folder
 */

/**
 * @typedef {object} Service
 * @property {string} name
 * @property {string} how the command that installs it
 * @property {() => boolean} isInstalled
 * @property {() => Promise<void>} install on Debian, as root, as in CI
 * @property {() => Promise<Server>} start
 */

/**
 * Starts a program and waits until its port takes connections and it answers.
 *
 * @param {object} program
 * @param {(place: { port: number, folder: string }) => readonly [command: string, ...args: string[]]} program.command
 * @param {(port: number) => string} program.url
 * @param {(folder: string) => Promise<void>} [program.prepare] before the first start
 * @param {(folder: string) => boolean} [program.isReady] whether it answers, where it takes connections before it does
 * @param {(folder: string) => Promise<void>} [program.reset] removes data with which the program does not start
 * @param {{ uid?: number, gid?: number }} [program.user]
 * @returns {Promise<Server>}
 */
export async function startServer({ command, url, prepare, isReady = () => true, reset, user = {} }) {
  const folder = await mkdtemp(path.join(tmpdir(), 'service-'));
  const port = await freePort();
  /** @type {import('node:child_process').ChildProcess | undefined} */
  let child;
  const start = async (attempts = 3) => {
    const [file, ...args] = command({ port, folder });
    const started = spawn(file, args, { ...user, cwd: folder, stdio: 'ignore' });
    child = started;
    try {
      await accepting(port, started, () => isReady(folder));
    } catch (error) {
      // After it was killed, its port may not be free yet, or its data may be damaged.
      if (attempts === 1 || started.exitCode === null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      if (attempts === 2) await reset?.(folder);
      await start(attempts - 1);
    }
  };
  const kill = async () => {
    if (!child) return;
    const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
    signal(child, 'SIGKILL');
    child = undefined;
    await gone;
  };
  try {
    await prepare?.(folder);
    await start();
  } catch (error) {
    await kill();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    url: url(port),
    start: () => start(),
    kill,
    freeze: () => signal(child, 'SIGSTOP'),
    resume: () => signal(child, 'SIGCONT'),
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * @param {string} command
 * @param {...string} args
 */
export async function installWith(command, ...args) {
  await run(command, args, { maxBuffer: 64 * 1024 * 1024 });
}

/** @param {string} name of the package in Debian */
export async function installDebian(name) {
  await installWith('apt-get', 'update');
  await installWith('apt-get', 'install', '-y', '--no-install-recommends', name);
}

/**
 * Signals a server and the processes that it started: PostgreSQL has one for each connection.
 *
 * @param {import('node:child_process').ChildProcess | undefined} server
 * @param {NodeJS.Signals} name
 */
function signal(server, name) {
  if (server?.pid === undefined) return;
  const started = spawnSync('pgrep', ['-P', String(server.pid)], { encoding: 'utf8' }).stdout ?? '';
  server.kill(name);
  for (const pid of started.split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), name);
    } catch {
      // It ended meanwhile.
    }
  }
}

/**
 * Returns a free port below the ports that systems give to connections, so that none takes it while a server restarts. Each
 * worker of Jest has ports of its own, for the same reason.
 *
 * @returns {Promise<number>}
 */
export async function freePort() {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = 20_000 + (Number(process.env.JEST_WORKER_ID ?? 0) % 8) * 1_500 + Math.floor(Math.random() * 1_500);
    const probe = createServer().listen(port, '127.0.0.1');
    const isFree = await new Promise((resolve) => {
      probe.once('listening', () => resolve(true)).once('error', () => resolve(false));
    });
    probe.close();
    if (isFree) return port;
  }
  throw new Error('no free port between 20000 and 32000');
}

/**
 * @param {number} port
 * @param {import('node:child_process').ChildProcess} child
 * @param {() => boolean} isReady
 */
async function accepting(port, child, isReady) {
  /** @type {Error | undefined} */
  let failed;
  child.once('error', (error) => {
    failed = error;
  });
  for (const started = Date.now(); ; ) {
    if (failed || child.exitCode !== null) throw failed ?? new Error(`${child.spawnfile} ended at once`);
    if (Date.now() - started > 30_000) throw new Error(`${child.spawnfile} takes no connections`);
    const socket = connect(port, '127.0.0.1');
    const open = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (open && isReady()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from './programs.mjs';
import { installDebian, installWith, startServer } from './server.mjs';

const here = fileURLToPath(new URL('mongo-java-server', import.meta.url));
const library = fileURLToPath(new URL('../../node_modules/.cache/mongo-java-server-1.47.0', import.meta.url));

/**
 * mongo-java-server on its H2 backend: MongoDB's wire protocol on systems without a package of MongoDB. `MONGODB_URL`
 * names a real one; the tests run against it unchanged, less those that kill their server.
 *
 * @type {import('./server.mjs').Service}
 */
export const mongo = {
  name: 'mongodb',
  how: 'node scripts/services/main.mjs install (needs java and mvn), or MONGODB_URL',
  isInstalled: () => process.env.MONGODB_URL !== undefined || existsSync(library),
  async install() {
    if (!findProgram('mvn')) await installDebian('maven');
    const unfinished = `${library}.${process.pid}`;
    await mkdir(unfinished, { recursive: true });
    const pom = path.join(here, 'pom.xml');
    await installWith('mvn', '-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${unfinished}`);
    await rename(unfinished, library);
  },
  start: () => start(({ port, folder }) => ['-XX:TieredStopAtLevel=1', ...launch(port), path.join(folder, 'mongo.h2')]),
};

/**
 * The same with its data in memory, for many entries: it reads all of a collection for each page of a listing, which takes
 * H2 too long.
 *
 * @type {import('./server.mjs').Service}
 */
export const mongoInMemory = { ...mongo, start: () => start(({ port }) => launch(port)) };

/** @param {number} port */
function launch(port) {
  return ['-cp', path.join(library, '*'), path.join(here, 'Launcher.java'), String(port)];
}

/**
 * @param {(place: { port: number, folder: string }) => readonly string[]} command for java
 * @returns {Promise<import('./server.mjs').Server>}
 */
async function start(command) {
  const real = process.env.MONGODB_URL;
  if (real) {
    const nothing = async () => {};
    return { url: real, start: nothing, kill: nothing, freeze() {}, resume() {}, stop: nothing };
  }
  const url = (/** @type {number} */ port) => `mongodb://127.0.0.1:${port}`;
  return startServer({
    url,
    command: (place) => [findProgram('java') ?? 'java', ...command(place)],
    // A kill may damage the file of H2.
    reset: (folder) => rm(path.join(folder, 'mongo.h2'), { force: true }),
  });
}

import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { buildSync } from 'esbuild';

const run = promisify(execFile);

/** The functions of each file of `lib/` that ran during a request, by path below `lib/` with the ending `.ts`. */
type Trace = ReadonlyMap<string, ReadonlySet<string>>;

/** Runs in a process of its own: one request of each kind, each with the coverage counters of V8 set to zero before it. */
const PROGRAM = `
import { Session } from 'node:inspector/promises';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import axios from 'axios';
import { setupCache } from './index.js';

const server = createServer((request, response) => {
  const headers = { 'cache-control': request.url === '/stale' ? 'max-age=0' : 'max-age=60', etag: '"1"' };
  const isConfirmed = request.headers['if-none-match'] === '"1"';
  response.writeHead(isConfirmed ? 304 : 200, headers).end(isConfirmed ? undefined : '{}');
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const baseURL = 'http://127.0.0.1:' + server.address().port;
let stored = () => {};
const options = { backend: 'memory', cacheControl: true, onEvent: ({ type }) => type === 'stored' && stored() };
const api = setupCache(axios.create({ baseURL }), options);
await api.cache.ready();

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });

async function trace(request) {
  await session.post('Profiler.takePreciseCoverage');
  const response = await request();
  const { result } = await session.post('Profiler.takePreciseCoverage');
  const prefix = new URL('.', import.meta.url).href;
  const files = result.filter(({ url }) => url.startsWith(prefix) && url !== import.meta.url).map(({ url, functions }) => {
    // The top level of a module runs when the module is imported on demand.
    const isTopLevel = ({ functionName, ranges }) => functionName === '' && ranges[0].startOffset === 0;
    const ran = functions.filter((one) => one.ranges[0].count > 0 && !isTopLevel(one));
    return [url.slice(prefix.length).replace(/\\.js$/, '.ts'), ran.map(({ functionName }) => functionName)];
  });
  return { files: files.filter(([, functions]) => functions.length > 0), outcome: response.cacheStatus };
}

const cold = await trace(() => api.get('/fresh'));
const hit = await trace(() => api.get('/fresh'));
await api.get('/stale');
const revalidation = await trace(() => api.get('/stale'));
const stream = await trace(async () => {
  const end = new Promise((resolve) => { stored = resolve; });
  const response = await api.get('/stream', { responseType: 'stream' });
  await buffer(response.data);
  await end;
  return response;
});
console.log(JSON.stringify({ cold, hit, revalidation, stream }));
await api.detachCache();
server.close();
`;

export interface TracedRequest {
  readonly trace: Trace;
  /** The `cacheStatus` of the response. */
  readonly outcome: string;
}

/** Sends a cold GET, a hit, a revalidation and a stream with the memory backend, and returns the functions that ran. */
export async function tracedRequests(): Promise<ReadonlyMap<string, TracedRequest>> {
  // Below the packages that the files import.
  const folder = mkdtempSync(path.join(process.cwd(), 'node_modules', '.trace-'));
  try {
    const files = readdirSync('lib', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const entryPoints = files.map((file) => path.join('lib', file));
    buildSync({ entryPoints, outdir: folder, outbase: 'lib', format: 'esm', target: 'node20', logLevel: 'error' });
    writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
    const file = path.join(folder, 'traced-program.js');
    writeFileSync(file, PROGRAM);
    const { stdout } = await run(process.execPath, ['--no-warnings', file], { timeout: 60_000 });
    const printed = JSON.parse(stdout) as Record<string, { files: [string, string[]][]; outcome: string }>;
    return new Map(
      Object.entries(printed).map(([name, { files, outcome }]) => [
        name,
        { outcome, trace: new Map(files.map(([file, functions]) => [file, new Set(functions)])) },
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { transformSync } from 'esbuild';
import ts from 'typescript';
import { dynamo } from '../../scripts/services/dynamo.mjs';
import { mongo } from '../../scripts/services/mongo.mjs';
import { postgres } from '../../scripts/services/postgres.mjs';
import { redis, redisCluster } from '../../scripts/services/redis.mjs';
import type { Server } from '../../scripts/services/server.mjs';
import { temporaryFolder } from '../support/api.js';
import { sendJson, startOrigin, type TestOrigin } from '../support/origin.js';

/** Every snippet of the README and the docs, and every example, is checked by the compiler and run. */

const run = promisify(execFile);
const root = process.cwd();
/** In the repository, so that the package finds itself and axios. */
const folder = mkdtempSync(path.join(root, '.snippets-'));

const pages = ['README.md', ...markdownIn('docs')];
const snippets = pages.flatMap((page) =>
  [...readFileSync(page, 'utf8').matchAll(/^```(ts|js)[^\n]*\n(.*?)^```$/gms)].map((match, index) => ({
    name: `${page}, snippet ${index + 1}`,
    source: match[2] ?? '',
  })),
);
const examples = readdirSync('examples')
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ name: `examples/${file}`, source: readFileSync(path.join('examples', file), 'utf8') }));
const programs = [...snippets, ...examples].map((program, index) => ({
  ...program,
  file: path.join(folder, `${index}.ts`),
}));

/** The servers of the backends, by the environment variable with their URL. */
const services = {
  REDIS_URL: redis,
  REDIS_CLUSTER_URL: redisCluster,
  MONGODB_URL: mongo,
  DYNAMODB_URL: dynamo,
  POSTGRES_URL: postgres,
};
const running = new Map<string, Server>();
let origin: TestOrigin;

beforeAll(async () => {
  for (const { file, source } of programs) writeFileSync(file, `${source}\nexport {};\n`);
  // Answers for every host, as a proxy.
  origin = await startOrigin(({ url }, response) =>
    sendJson(response, { url }, { 'cache-control': 'max-age=60', etag: '"1"', date: new Date().toUTCString() }),
  );
});

beforeAll(async () => {
  for (const [name, service] of Object.entries(services)) {
    if (service.isInstalled()) running.set(name, await service.start());
  }
}, 60_000);

afterAll(async () => {
  for (const server of running.values()) await server.stop();
  await origin.stop();
  rmSync(folder, { recursive: true });
});

function markdownIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => path.join(directory, file));
}

test('all of them pass the compiler', () => {
  const { config } = ts.readConfigFile('tsconfig.json', (file) => ts.sys.readFile(file));
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const loose = { ...options, noUnusedLocals: false, noUnusedParameters: false, isolatedModules: false };
  const program = ts.createProgram(
    programs.map(({ file }) => file),
    loose,
  );
  const found = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    const named = programs.find((candidate) => path.resolve(candidate.file) === path.resolve(file?.fileName ?? ''));
    return `${named?.name}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
  expect(found).toEqual([]);
});

test.each(['README.md', path.join('docs', 'getting-started.md')])(
  '%s: its snippets request a page that exists',
  (page) => {
    const own = snippets.filter(({ name }) => name.startsWith(`${page},`));
    const requested = own.flatMap(({ source }) =>
      [...source.matchAll(/\.get\('(?:https:\/\/example\.org)?([^']*)'/g)].map(([, asked]) => asked),
    );
    // example.org answers other paths with 404.
    expect(new Set(requested)).toEqual(new Set(['/']));
  },
);

describe('run', () => {
  const missing = ({ source }: { source: string }) =>
    Object.entries(services).find(([name, service]) => source.includes(name) && !service.isInstalled())?.[1];
  for (const program of programs) {
    const service = missing(program);
    // If a service is not installed. CI has all services, and fails if a test was skipped.
    if (service)
      test.skip(`${program.name}, left out because ${service.name} is not installed (${service.how})`, () => {});
  }

  test.each(programs.filter((program) => !missing(program)))('$name', async ({ file, source }) => {
    await using work = await temporaryFolder();
    const isCommonJs = source.includes('= require(');
    const script = file.replace(/\.ts$/, isCommonJs ? '.cjs' : '.mjs');
    const { code } = transformSync(source.replaceAll('https://', 'http://'), {
      loader: 'ts',
      format: isCommonJs ? 'cjs' : 'esm',
      target: 'node20',
    });
    writeFileSync(script, code);
    const urls = Object.fromEntries([...running].map(([name, { url }]) => [name, url]));
    // Programs may write to the folder for temporary files, too.
    const own = { http_proxy: origin.url, no_proxy: '127.0.0.1', NODE_OPTIONS: '', TMPDIR: work.path, TEMP: work.path };
    const env = { ...process.env, ...urls, ...own };
    const { stderr } = await run(process.execPath, [script], { cwd: work.path, env, timeout: 15_000 });
    // The warning of an outage: the program would have worked without its store.
    expect(stderr).not.toContain('CacheWarning');
  });
});

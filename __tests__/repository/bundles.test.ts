import { execFile } from 'node:child_process';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { build, type Format, type Plugin } from 'esbuild';
import { temporaryFolder } from '../support/api.js';
import { DEPENDENCIES, install, LOADED, project, SIGNED } from '../support/project.js';

/** The packed package in bundles. `npm run test:matrix` tries more tools. */

const run = promisify(execFile);

/** An import of all of `node:module` sees `createRequire` in its default export alone. */
const DEFAULT_EXPORT_ALONE: Plugin = {
  name: 'default-export-alone',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?module$/ }, ({ kind }) =>
      kind === 'import-statement' ? { path: 'module', namespace: 'default-export-alone' } : { external: true },
    );
    onLoad({ filter: /./, namespace: 'default-export-alone' }, () => ({
      contents: `const nodeModule = require('node:module'); export default nodeModule; export const { isBuiltin } = nodeModule;`,
    }));
  },
};

/** For output as an ES module, which has neither `require` nor `__filename`. */
const REQUIRE = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;
interface Form {
  readonly format: Format;
  readonly kind: keyof typeof LOADED;
}
const FORMS: readonly [Form, ...Form[]] = [
  { format: 'cjs', kind: 'esm' },
  { format: 'cjs', kind: 'cjs' },
  { format: 'esm', kind: 'esm' },
  { format: 'esm', kind: 'cjs' },
];
interface Subpath {
  readonly subpath: string;
  readonly backend: string;
}
const REDIS: Subpath = { subpath: 'redis', backend: 'RedisCache' };

describe('esbuild', () => {
  test.each(FORMS)('a bundle as $format of a program as $kind starts where there are no packages', async (form) => {
    const { format, kind } = form;
    await using folder = await temporaryFolder();
    await using elsewhere = await temporaryFolder();
    await project(folder.path, DEPENDENCIES);
    const contents = `${LOADED[kind]} (async () => { ${SIGNED} console.log(seen); })();`;
    const outfile = path.join(elsewhere.path, `bundle.${format === 'cjs' ? 'cjs' : 'mjs'}`);
    const banner = format === 'esm' ? { js: REQUIRE } : {};
    const stdin = { contents, resolveDir: folder.path };
    await build({ stdin, bundle: true, platform: 'node', format, outfile, banner, logLevel: 'silent' });
    const { stdout } = await run(process.execPath, ['--unhandled-rejections=strict', outfile], { cwd: elsewhere.path });
    expect(stdout.trim()).toBe('false,true');
  });

  test('a bundle that sees createRequire in the default export alone, as that of Next.js, finds clients', async () => {
    await using folder = await temporaryFolder();
    await project(folder.path, DEPENDENCIES);
    install(folder.path, '@keyv/redis', `throw new Error('the client beside the bundle');`);
    const contents = `${LOADED.esm}
      setupCache(axios.create(), { backend: 'redis' }).cache.ready().catch((error) => console.log(error.message));`;
    const outfile = path.join(folder.path, 'bundle.cjs');
    const stdin = { contents, resolveDir: folder.path };
    const options = { bundle: true, platform: 'node', format: 'cjs', outfile, logLevel: 'silent' } as const;
    await build({ stdin, ...options, plugins: [DEFAULT_EXPORT_ALONE] });
    const { stdout } = await run(process.execPath, [outfile], { cwd: folder.path });
    expect(stdout).toContain('the client beside the bundle');
  });

  /** A bundle of a program with a subpath's backend, run without packages; resolves to what `ready()` rejects with. */
  async function readyOfSubpath(folder: string, { subpath, backend }: Subpath, { format, kind }: Form = FORMS[0]) {
    await using elsewhere = await temporaryFolder();
    const named =
      kind === 'esm'
        ? `import { ${backend} } from 'axios-keyv-cache/${subpath}';`
        : `const { ${backend} } = require('axios-keyv-cache/${subpath}');`;
    const contents = `${LOADED[kind]} ${named}
      setupCache(axios.create(), { backend: ${backend} }).cache.ready().catch((error) => console.log(error.code, error.message));`;
    const outfile = path.join(elsewhere.path, `bundle.${format === 'cjs' ? 'cjs' : 'mjs'}`);
    const banner = format === 'esm' ? { js: REQUIRE } : {};
    const stdin = { contents, resolveDir: folder };
    await build({ stdin, bundle: true, platform: 'node', format, outfile, banner, logLevel: 'silent' });
    return (await run(process.execPath, [outfile], { cwd: elsewhere.path })).stdout;
  }

  test.each(FORMS)(
    'a client that only a subpath names is in the bundle as $format of a program as $kind',
    async (form) => {
      await using folder = await temporaryFolder();
      await project(folder.path, DEPENDENCIES);
      install(folder.path, '@keyv/redis', `throw new Error('the client in the bundle');`);
      expect(await readyOfSubpath(folder.path, REDIS, form)).toContain('(the client in the bundle)');
    },
  );

  test.each([
    ['mongodb', 'MongoCache', '@keyv/mongo', 'mongodb'],
    ['gridfs', 'GridFSCache', '@keyv/mongo', 'mongodb'],
    ['dynamodb', 'DynamoDbCache', '@keyv/dynamo', '@aws-sdk/client-dynamodb'],
  ])('%s: the driver beneath the client is in the bundle too', async (subpath, backend, client, driver) => {
    await using folder = await temporaryFolder();
    await project(folder.path, DEPENDENCIES);
    install(folder.path, client, 'module.exports = {};');
    install(folder.path, driver, `throw new Error('the driver in the bundle');`);
    expect(await readyOfSubpath(folder.path, { subpath, backend })).toContain('(the driver in the bundle)');
  });

  test('a client that was not there when the bundle was built is missing, not broken', async () => {
    await using folder = await temporaryFolder();
    await project(folder.path, DEPENDENCIES);
    expect(await readyOfSubpath(folder.path, REDIS)).toMatch(/^ERR_CACHE_MISSING_PACKAGE .*npm install @keyv\/redis/);
  });
});

/** Each built-in module with the names that this version of Node.js exports. */
const BUILT_INS: Plugin = {
  name: 'built-ins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path: name }) => ({ path: name, namespace: 'built-ins' }));
    onLoad({ filter: /./, namespace: 'built-ins' }, async ({ path: name }) => {
      const names = Object.keys(await import(name)).filter((one) => one !== 'default');
      return { contents: `export default {}; export const { ${names.join(', ')} } = {};` };
    });
  },
};

// Some bundlers make named imports of the members of a namespace. Such a bundle does not start if the module lacks the name.
test('the build uses no member of a built-in module that this version of Node.js lacks', async () => {
  const options = { bundle: true, write: false, format: 'esm', packages: 'external', logLevel: 'silent' } as const;
  const { warnings } = await build({ entryPoints: ['dist/index.js'], ...options, plugins: [BUILT_INS] });
  expect(warnings.map(({ text }) => text)).toEqual([]);
});

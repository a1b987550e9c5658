import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { apiReport, REPORT } from '../../scripts/api-report.mjs';
import { temporaryFolder } from '../support/api.js';
import { type Compilation, compiled, DEPENDENCIES, project } from '../support/project.js';

const SUBPATHS = ['sqlite', 'redis', 'mongodb', 'gridfs', 'dynamodb'];
/** For resolutions that know no `exports`. */
const CLASSIC = `import axios from 'axios';
  import { setupCache } from 'axios-keyv-cache';
  ${SUBPATHS.map((name) => `import * as ${name} from 'axios-keyv-cache/${name}';`).join('\n')}
  void setupCache(axios.create()).cache;
  void [${SUBPATHS.join()}];`;

const COMPILATIONS: [string, string, Compilation][] = [
  ['TypeScript 5.0', 'axios', { compiler: 'typescript-5.0' }],
  ['TypeScript 5.4', 'axios', { compiler: 'typescript-5.4' }],
  ['the latest TypeScript', 'axios', {}],
  ['the latest TypeScript', 'axios-oldest', {}],
  [
    'exactOptionalPropertyTypes and the like',
    'axios',
    { options: { exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, verbatimModuleSyntax: false } },
  ],
  [
    'moduleResolution node10',
    'axios',
    {
      compiler: 'typescript-5.0',
      options: { module: 'commonjs', moduleResolution: 'node', esModuleInterop: true },
      programs: { 'main.ts': CLASSIC },
    },
  ],
  [
    'moduleResolution bundler',
    'axios',
    { options: { module: 'esnext', moduleResolution: 'bundler' }, programs: { 'main.ts': CLASSIC } },
  ],
];

describe.each(COMPILATIONS)('%s with %s', (_, axios, compilation) => {
  test('the declarations compile, and have the meaning that the program checks', async () => {
    await using folder = await temporaryFolder();
    await project(folder.path, DEPENDENCIES, axios);
    expect(await compiled(folder.path, compilation)).toBe('');
  });
});

test('`using` disposes the result of cacheDisabled()', async () => {
  await using folder = await temporaryFolder();
  await project(folder.path, DEPENDENCIES);
  const source = `import axios from 'axios'; import { setupCache } from 'axios-keyv-cache';
    using disabled = setupCache(axios.create()).cacheDisabled(); void disabled;`;
  const options = { lib: ['es2022', 'dom', 'esnext.disposable'] };
  expect(await compiled(folder.path, { options, programs: { 'main.mts': source } })).toBe('');
});

test('the API is the one in docs/api-report.txt (npm run build && npm run api-report)', () => {
  expect(apiReport()).toBe(readFileSync(REPORT, 'utf8').replaceAll('\r\n', '\n'));
});

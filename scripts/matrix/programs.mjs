import { writeFileSync } from 'node:fs';
import path from 'node:path';

// The program of each cell, in the forms that tools need.

/** A request twice; the origin and the file come from the environment. Signed, so that jose is needed. */
export const BODY = `
  const api = setupCache(axios.create({ proxy: false }), {
    backend: 'sqlite', cacheName: process.env.MATRIX_FILE, secretKey: 'k'.repeat(32),
    onEvent: ({ error }) => { if (error) console.error(error); },
  });
  const first = await api.get(process.env.MATRIX_URL);
  const second = await api.get(process.env.MATRIX_URL);
  await api.detachCache();
  const seen = [first.fromCache, second.fromCache].join();
`;
const REPORT = `console.log('seen', seen);`;
export const IMPORTS = `import axios from 'axios'; import { setupCache } from 'axios-keyv-cache';`;
export const REQUIRES = `const axios = require('axios'); const { setupCache } = require('axios-keyv-cache');`;
export const ESM = `${IMPORTS} ${BODY} ${REPORT}`;
export const CJS = `${REQUIRES} (async () => { ${BODY} ${REPORT} })();`;
export const TEST = `test('twice', async () => { ${BODY} ${REPORT} });`;
/** Without \`await\` at its top, which CommonJS bundles cannot have. */
export const ASYNC_ESM = `${IMPORTS} (async () => { ${BODY} ${REPORT} })();`;

/**
 * @param {string} project
 * @param {string} file
 * @param {string} text
 */
export function write(project, file, text) {
  const target = path.join(project, file);
  writeFileSync(target, text);
  return target;
}

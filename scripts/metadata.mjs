// Writes homepage, repository and bugs into package.json: npm run metadata

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The web address of the repository, without a slash at its end. Empty until its owner sets it. */
export const REPOSITORY = '';

/**
 * The fields of package.json that name the repository; none if it has no address yet.
 *
 * @param {string} address
 * @returns {Record<string, unknown>}
 */
export function metadataOf(address) {
  if (address === '') return {};
  return {
    homepage: `${address}#readme`,
    repository: { type: 'git', url: `git+${address}.git` },
    bugs: { url: `${address}/issues` },
  };
}

/** The names of these fields. */
export const FIELDS = Object.keys(metadataOf('x'));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'package.json');
  const description = JSON.parse(readFileSync(file, 'utf8'));
  for (const name of FIELDS) delete description[name];
  writeFileSync(file, `${JSON.stringify({ ...description, ...metadataOf(REPOSITORY) }, null, 2)}\n`);
}

import { createServer } from 'node:http';
import path from 'node:path';
import { run } from './packages.mjs';

// One cell of the matrix: a program that runs twice, with the same file, against one origin.

const LIMIT = 60_000;

/** @typedef {Awaited<ReturnType<typeof startOrigin>>} Origin */
/**
 * @typedef {object} Cell
 * @property {string} name
 * @property {readonly [file: string, ...args: string[]]} command the runtime
 * @property {import('./forms.mjs').Form} form
 * @property {string} folder the project
 * @property {NodeJS.Require} require loads tools
 * @property {Origin} origin
 * @property {string} work for the file
 */

/** Counts the requests by path. */
export async function startOrigin() {
  /** @type {Map<string, number>} */
  const counts = new Map();
  const server = createServer((request, response) => {
    const asked = request.url ?? '';
    if (request.method === 'GET') counts.set(asked, (counts.get(asked) ?? 0) + 1);
    // For jsdom, whose page is of another origin.
    const headers = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*' };
    response.writeHead(200, { ...headers, 'content-type': 'application/json' }).end('{"a":1}');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    /** @param {string} asked */
    count: (asked) => counts.get(asked) ?? 0,
    close: () => void server.close(),
  };
}

/**
 * Runs the program once.
 *
 * @param {readonly [file: string, ...args: string[]]} command
 * @param {Record<string, string>} variables
 * @param {string} cwd
 * @returns {Promise<string>} what it saw: whether the first and the second response came from the cache
 */
async function seen([file, ...args], variables, cwd) {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const options = { cwd, env: { ...env, ...variables, CI: '1' }, timeout: LIMIT };
  const { stdout, stderr } = await run(file, args, options);
  return /seen (\S+)/.exec(stdout + stderr)?.[1] ?? `nothing: ${stderr.slice(0, 500)}`;
}

/**
 * @param {Cell} cell
 * @returns {Promise<string>} `ok`, or why it fails
 */
export async function runCell({ name, command, form, folder, require, origin, work }) {
  const file = encodeURIComponent(name);
  const variables = { MATRIX_URL: `${origin.url}/${file}`, MATRIX_FILE: path.join(work, `${file}.sqlite`) };
  try {
    const [runtime, ...args] = command;
    const program = await form.prepare(folder, require);
    const first = await seen([runtime, ...args, ...program], variables, folder);
    const second = await seen([runtime, ...args, ...program], variables, folder);
    const requests = origin.count(`/${file}`);
    return first === 'false,true' && second === 'true,true' && requests === 1
      ? 'ok'
      : `${first}; ${second}; ${requests} requests`;
  } catch (error) {
    const { stderr = '', message } = /** @type {{ stderr?: string, message: string }} */ (error);
    return (stderr || message).trim().slice(0, 600);
  }
}

import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('.', import.meta.url));
let number = 0;

/**
 * Runs a program in a process of its own, and returns the JSON that it prints. It is written beside this file, so that it
 * finds the packages that the benchmark finds.
 *
 * @param {string} source an ES module
 * @param {readonly string[]} parameters
 * @param {readonly string[]} [flags] of Node
 */
export async function runProgram(source, parameters, flags = []) {
  number += 1;
  const file = path.join(folder, `.program-${process.pid}-${number}.mjs`);
  writeFileSync(file, source);
  try {
    const { stdout } = await run(process.execPath, [...flags, '--no-warnings', file, ...parameters]);
    return JSON.parse(stdout);
  } finally {
    rmSync(file);
  }
}

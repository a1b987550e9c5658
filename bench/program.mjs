import { execFile, fork } from 'node:child_process';
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
  return withFile(source, async (file) => {
    const { stdout } = await run(process.execPath, [...flags, '--no-warnings', file, ...parameters]);
    return JSON.parse(stdout);
  });
}

/**
 * Runs a program that sends `{ step }` and waits for a message after each of its parts, and at last `{ result }`, which is
 * returned.
 *
 * @param {string} source an ES module
 * @param {readonly string[]} parameters
 * @param {(step: string) => unknown} onStep is awaited before the program goes on
 */
export async function runInSteps(source, parameters, onStep) {
  return withFile(source, (file) => {
    const child = fork(file, [...parameters], { execArgv: ['--expose-gc', '--no-warnings'] });
    return new Promise((resolve, reject) => {
      let result;
      child.on('message', async (/** @type {{ step?: string, result?: unknown }} */ message) => {
        if (message.step === undefined) result = message.result;
        else {
          await onStep(message.step);
          child.send({});
        }
      });
      child.once('exit', (code) => {
        if (result === undefined) reject(new Error(`a program ended with ${code}`));
        else resolve(result);
      });
    });
  });
}

/**
 * @template T
 * @param {string} source
 * @param {(file: string) => Promise<T>} work
 */
async function withFile(source, work) {
  number += 1;
  const file = path.join(folder, `.program-${process.pid}-${number}.mjs`);
  writeFileSync(file, source);
  try {
    return await work(file);
  } finally {
    rmSync(file);
  }
}

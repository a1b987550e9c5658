import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CONTENDERS } from './contenders.mjs';
import { startOrigin } from './origin.mjs';
import { WORKLOADS } from './workloads.mjs';

const script = fileURLToPath(new URL('./contender.mjs', import.meta.url));

/**
 * Runs contenders in processes of their own, interleaved round by round, so that a change of the machine's speed meets all.
 *
 * @param {object} options
 * @param {readonly string[]} options.names contenders
 * @param {string} options.workload
 * @param {readonly { operation: string, times: number, label?: string }[]} options.operations
 * @param {number} options.rounds
 * @param {number} options.warmUp milliseconds for which each contender runs before the first round
 * @param {boolean} [options.isInstant] whether contenders over axios have an adapter that resolves at once
 * @param {string} [options.redisUrl]
 * @returns microseconds of each round by contender and label
 */
export async function race({ names, workload, operations, rounds, warmUp, isInstant = false, redisUrl }) {
  const folder = mkdtempSync(path.join(tmpdir(), 'axios-keyv-cache-bench-'));
  const origin = await startOrigin(WORKLOADS[workload].body);
  const runners = new Map();
  try {
    for (const [index, name] of names.entries()) {
      const runner = startRunner(CONTENDERS[name].isRemote);
      const own = path.join(folder, String(index));
      mkdirSync(own);
      const context = { name, workload, folder: own, originUrl: origin.url, redisUrl };
      const instantly = isInstant && !CONTENDERS[name].isRemote;
      const opened = await runner.ask('open', { ...context, isInstant: instantly });
      if (opened) runners.set(name, runner);
      else await runner.close();
    }
    const samples = new Map([...runners.keys()].map((name) => [name, {}]));
    // Until the code of each contender is optimized.
    for (const runner of runners.values()) {
      const end = performance.now() + warmUp;
      for (const { operation, times } of operations) await runner.ask('run', { operation, times });
      while (performance.now() < end) {
        for (const { operation, times } of operations) await runner.ask('run', { operation, times });
      }
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, runner] of runners) {
        for (const { operation, times, label = operation } of operations) {
          const microseconds = await runner.ask('run', { operation, times });
          samples.get(name)[label] ??= [];
          samples.get(name)[label].push(microseconds);
        }
      }
    }
    return samples;
  } finally {
    await Promise.all([...runners.values()].map((runner) => runner.close()));
    origin.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function startRunner(isQuiet) {
  // got warns of its own listeners at each request.
  const child = fork(script, { stdio: ['ignore', 'inherit', isQuiet ? 'ignore' : 'inherit', 'ipc'] });
  const waiting = new Map();
  let id = 0;
  child.on('message', (message) => {
    const { id: answered, result, error } = /** @type {any} */ (message);
    const settle = waiting.get(answered);
    waiting.delete(answered);
    if (error === undefined) settle?.resolve(result);
    else settle?.reject(new Error(error));
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  exited.then((code) => {
    for (const { reject } of waiting.values()) reject(new Error(`the contender ended with code ${code}`));
  });
  const ask = (type, parameters = {}) =>
    new Promise((resolve, reject) => {
      id += 1;
      waiting.set(id, { resolve, reject });
      child.send({ id, type, ...parameters });
    });
  const close = async () => {
    await Promise.race([ask('close').catch(() => {}), new Promise((resolve) => setTimeout(resolve, 2_000))]);
    child.kill();
    await exited;
  };
  return { ask, close };
}

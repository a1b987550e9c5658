import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { run } from '../packages.mjs';
import { emptyAcknowledgements } from './acknowledged.mjs';
import { ENTRIES } from './contents.mjs';
import { startOrigin } from './origin.mjs';
import { WorkerProcess } from './worker-process.mjs';

// Processes of Node 20 (@keyv/sqlite) and Node 24 (node:sqlite) share one file of 20,000 entries, and are killed at random.

/** Seconds of work with kills, and of the measurement. */
const WORK = 30;
const MEASUREMENT = 15;
const KILLS_OF_FILLERS = 12;
/** Milliseconds between two kills: at least, and at most. */
const KILL_INTERVAL = [100, 600];
/** Milliseconds that the event loop of a reading process may be late, in 99 of 100 cases. */
const LATEST = 20;
const TENTH = ENTRIES / 10;

/** The SQLite of each version checks the file. */
const INTEGRITY = {
  20: `const { Database } = require('sqlite3');
    new Database(process.argv[1]).all('PRAGMA integrity_check', (error, rows) => console.log(error ?? rows[0].integrity_check));`,
  24: `const { DatabaseSync } = require('node:sqlite');
    console.log(new DatabaseSync(process.argv[1]).prepare('PRAGMA integrity_check').get().integrity_check);`,
};

/**
 * @param {object} where
 * @param {Record<20 | 24, string>} where.nodes the programs of Node.js
 * @param {string} where.project a folder with the packed package
 * @param {string} where.work a folder for the file
 * @param {(line: string) => void} log
 * @throws an error that says what is wrong
 */
export async function checkSharedFile({ nodes, project, work }, log) {
  for (const name of ['worker', 'contents', 'acknowledged'])
    cpSync(fileURLToPath(new URL(`${name}.mjs`, import.meta.url)), path.join(project, `${name}.mjs`));
  const acknowledgedFile = path.join(work, 'acknowledged');
  writeFileSync(acknowledgedFile, emptyAcknowledgements());
  const origin = await startOrigin();
  const subject = new Subject(nodes, project, {
    url: origin.url,
    file: path.join(work, 'shared.sqlite'),
    acknowledgedFile,
  });
  try {
    await fill(subject, log);
    await workWithKills(subject, log);
    await subject.checkIntegrity();
    await readEntriesOfOthers(subject, log);
    await measure(subject, log);
    await deleteByNames(subject, log);
    await subject.checkIntegrity();
  } finally {
    subject.end();
    origin.close();
  }
}

/** The file with its processes. */
class Subject {
  kills = 0;
  /** @type {Record<string, number>} */
  counts = {};
  /** @type {string[]} */
  #wrong = [];
  /** @type {Set<WorkerProcess>} */
  #processes = new Set();
  #nodes;
  #project;
  #options;

  constructor(nodes, project, options) {
    this.#nodes = nodes;
    this.#project = project;
    this.#options = options;
  }

  /** @param {readonly (20 | 24)[]} nodes */
  start(nodes) {
    return nodes.map((node, slot) => {
      const program = path.join(this.#project, 'worker.mjs');
      const options = { ...this.#options, slot };
      const one = new WorkerProcess(this.#nodes[node], program, options, (message) => this.#received(message));
      this.#processes.add(one);
      return one;
    });
  }

  #received({ counts = {}, wrong }) {
    if (wrong) this.#wrong.push(wrong);
    for (const [name, count] of Object.entries(counts)) this.counts[name] = (this.counts[name] ?? 0) + count;
  }

  /** Throws if a process has got a wrong response so far. */
  checkResponses() {
    assert.deepEqual(this.#wrong.slice(0, 10), [], `${this.#wrong.length} wrong responses`);
  }

  /**
   * Kills one of the processes after the other.
   *
   * @param {readonly WorkerProcess[]} processes
   * @param {() => boolean} isOver
   */
  async kill(processes, isOver) {
    const [least, most] = KILL_INTERVAL;
    for (;;) {
      await pause(least + (most - least) * Math.random());
      if (isOver()) return;
      await processes[Math.floor(processes.length * Math.random())].kill();
      this.kills += 1;
    }
  }

  async close(processes) {
    for (const one of processes) this.#processes.delete(one);
    await Promise.all(processes.map((one) => one.close()));
    this.checkResponses();
  }

  async checkIntegrity() {
    for (const [node, program] of Object.entries(INTEGRITY)) {
      const options = { cwd: this.#project };
      const args = ['--no-warnings', '-e', program, this.#options.file];
      const { stdout } = await run(this.#nodes[node], args, options);
      assert.equal(stdout.trim(), 'ok', `integrity in Node ${node}`);
    }
  }

  end() {
    for (const one of this.#processes) one.end();
  }
}

/** Four processes create the file and write a quarter of the entries each. */
async function fill(subject, log) {
  const processes = subject.start([20, 24, 20, 24]);
  let isFilled = false;
  const filling = processes.map((one, index) => one.run('readAll', { divisor: 4, rests: [index] }));
  const filled = Promise.all(filling).finally(() => {
    isFilled = true;
  });
  await Promise.all([filled, subject.kill(processes, () => isFilled || subject.kills === KILLS_OF_FILLERS)]);
  assert.deepEqual(await processes[0].run('count'), { count: ENTRIES, byUrl: ENTRIES });
  await subject.close(processes);
  log(`${ENTRIES} entries were written by four processes, of which ${subject.kills} were killed`);
}

async function workWithKills(subject, log) {
  subject.counts = {};
  const processes = subject.start([20, 24, 20, 24, 24]);
  const killed = processes.slice(0, 4);
  const working = killed.map((one) => one.run('anything'));
  const reading = processes[4].run('readKept');
  const end = performance.now() + WORK * 1000;
  // A task that fails ends the race.
  await Promise.race([subject.kill(killed, () => performance.now() > end), reading, ...working]);
  for (const one of processes) one.stop();
  await Promise.all(working);
  const delay = await reading;
  await subject.close(processes);
  const { reads, hits, foreignHits, changes, deletions, tagDeletions, swept } = subject.counts;
  log(
    `${WORK} s, ${subject.kills} kills: ${reads} reads, ${hits} hits, ${foreignHits} of them written by the other version`,
  );
  log(
    `${changes} unsafe requests, ${deletions} deletions by URL, ${tagDeletions} by tag, ${swept} expired responses removed`,
  );
  log(`event loop of a reading process meanwhile: ${describeDelay(delay)}`);
  for (const count of [foreignHits, changes, deletions, tagDeletions, swept])
    assert.ok(count > 0, 'something was not done');
}

/** Each version writes the missing entries of one half; the other one finds that half, with all entries that are never deleted. */
async function readEntriesOfOthers(subject, log) {
  for (const [writer, reader, rests] of [
    [20, 24, [0, 2, 4, 6, 8]],
    [24, 20, [1, 3, 5, 7, 9]],
  ]) {
    const [first] = subject.start([writer]);
    const { kept } = await first.run('readAll', { divisor: 10, rests });
    assert.equal(kept, rests.includes(0) ? TENTH : 0, 'entries that nothing deleted were lost');
    await subject.close([first]);
    const [second] = subject.start([reader]);
    const { missed, foreign, ...found } = await second.run('readAll', { divisor: 10, rests });
    const { count, byUrl } = await second.run('count');
    await subject.close([second]);
    const hits = found.kept + found.changing;
    log(
      `Node ${reader} after Node ${writer}: ${hits} hits, ${foreign} of them written by Node ${writer}, ${missed} misses`,
    );
    assert.equal(missed, 0);
    assert.ok(foreign > TENTH);
    assert.equal(byUrl, count);
  }
}

async function measure(subject, log) {
  const processes = subject.start([20, 24, 20, 24]);
  const writing = processes.slice(0, 3).map((one) => one.run('anything'));
  const reading = processes[3].run('readKept');
  await Promise.race([pause(MEASUREMENT * 1000), reading, ...writing]);
  for (const one of processes) one.stop();
  await Promise.all(writing);
  const delay = await reading;
  await subject.close(processes);
  log(`event loop of a reading process while three write: ${describeDelay(delay)}`);
  assert.ok(delay.p99 <= LATEST, `the event loop is more than ${LATEST} ms late`);
}

function describeDelay({ p50, p99, max, hits }) {
  return `median ${p50} ms, 99th percentile ${p99} ms, at most ${max} ms, ${hits} hits`;
}

/** The indexes name every entry: nothing is left when all tags and URLs were deleted. */
async function deleteByNames(subject, log) {
  const [one] = subject.start([20]);
  const left = await one.run('deleteTagged');
  const kept = await one.run('deleteUrls', { rest: 0 });
  const brief = await one.run('deleteUrls', { rest: 1 });
  assert.equal(kept, TENTH);
  assert.equal(kept + brief, left);
  assert.deepEqual(await one.run('count'), { count: 0, byUrl: 0 });
  await subject.close([one]);
  log('all entries were deleted by their tags and URLs');
}

import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from '../../../scripts/services/server.mjs';
import type { TestOrigin } from '../../support/origin.js';
import type { TestProxy } from '../../support/proxy.js';
import type { Actions, SubjectOptions } from './subject.js';

export const FAULTS = [
  'down at start',
  'killed',
  'frozen',
  'slow',
  'full',
  'read-only',
  'bad entries',
  'wrong password',
  'replaced',
  'no descriptors',
  'clock jump',
] as const;
export type FaultName = (typeof FAULTS)[number];

/** How to cause a fault, and how to end it. */
export interface Fault {
  /** It begins before the process does. */
  readonly atStart?: true;
  /** Whether the client of the store keeps the process alive afterwards. */
  readonly keepsAlive?: true;
  /** The command that runs the process, with `node` and its arguments appended. */
  readonly launcher?: (cell: Cell) => readonly string[];
  begin(cell: Cell): Promise<unknown>;
  end?(cell: Cell): Promise<unknown>;
}

/** A backend with a fault. */
export interface Cell {
  readonly backend: string;
  readonly cacheName: string;
  readonly folder: string;
  readonly server: Server;
  readonly proxy: TestProxy;
  readonly subject: Subject;
}

/** The process with the cache. */
export class Subject {
  #child: ChildProcess | undefined;

  async start(file: string, options: SubjectOptions, launcher: readonly string[] = []): Promise<void> {
    const args = ['--no-warnings', file, JSON.stringify(options)];
    const [command, ...more] = launcher;
    this.#child = command
      ? spawn(command, [...more, process.execPath, ...args], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
      : fork(file, args.slice(2), { execArgv: ['--no-warnings'] });
    await this.#answer();
  }

  async command<Name extends keyof Actions>(
    name: Name,
    ...[argument]: Parameters<Actions[Name]>
  ): Promise<Awaited<ReturnType<Actions[Name]>>> {
    const answered = this.#answer();
    this.#child?.send({ name, argument });
    return (await answered) as Awaited<ReturnType<Actions[Name]>>;
  }

  #answer(): Promise<unknown> {
    const child = this.#child as ChildProcess;
    return new Promise((resolve, reject) => {
      const exited = (code: number | null) => reject(new Error(`the process ended with ${code}`));
      child.once('exit', exited).once('message', ({ result }: { result: unknown }) => {
        child.off('exit', exited);
        resolve(result);
      });
    });
  }

  /** Resolves to the exit code; undefined if the process does not end by itself. */
  async ended(seconds: number): Promise<number | null | undefined> {
    const child = this.#child as ChildProcess;
    if (child.exitCode !== null) return child.exitCode;
    const timeout = AbortSignal.timeout(seconds * 1_000);
    return once(child, 'exit', { signal: timeout }).then(
      ([code]) => code,
      () => undefined,
    );
  }

  kill(): void {
    this.#child?.kill('SIGKILL');
  }
}

/** The figures of a cell. */
export interface Outcome {
  readonly failed: number;
  readonly wrong: number;
  readonly escaped: readonly string[];
  readonly requests: number;
  /** Whether a response was stored during the fault. */
  readonly stored: boolean;
  /** Hits on all entries at the beginning of the fault. */
  readonly hits: number;
  /** Hits on healthy entries during the fault, of so many: the least, at its beginning and at its end. */
  readonly kept: readonly [hits: number, of: number];
  /** Seconds from the end of the fault until everything is a hit again. */
  readonly seconds: number;
  readonly ended: boolean;
}

interface Place {
  readonly file: string;
  readonly origin: TestOrigin;
  /** Of the 20 known entries, those that the fault damages. */
  readonly damaged: number;
}

/** Runs a process with a backend through a fault. */
export async function outcomeOf(cell: Cell, fault: Fault, { file, origin, damaged }: Place): Promise<Outcome> {
  const { subject, backend, cacheName, proxy } = cell;
  const options = { backend, cacheName, url: proxy.url, originUrl: origin.url };
  try {
    if (fault.atStart) await fault.begin(cell);
    await subject.start(file, options, fault.launcher?.(cell));
    if (!fault.atStart) {
      await subject.command('prepare');
      await fault.begin(cell);
    }
    const found = await subject.command('hits');
    await subject.command('run', 1_500);
    // Damage of an adapter's text may leave the bytes as they were, so that their signature is right.
    const healthy = found.length - damaged;
    const hits = countOf(found);
    const stored = await subject.command('stores');
    // Again, since the work may have changed the store.
    const kept = Math.min(hits, await laterHits(subject, healthy), healthy);
    await fault.end?.(cell);
    const seconds = await normal(subject);
    await subject.command('run', 300);
    const { failed, wrong, requests, escaped } = await subject.command('end');
    const code = await subject.ended(15);
    return { failed, wrong, requests, escaped, stored, hits, kept: [kept, healthy], seconds, ended: code === 0 };
  } finally {
    subject.kill();
  }
}

function countOf(hits: readonly boolean[]): number {
  return hits.filter((isHit) => isHit).length;
}

/** Counts the hits, again within a second if few: a slow machine may exceed a budget, which opens the circuit. */
async function laterHits(subject: Subject, healthy: number): Promise<number> {
  for (let attempt = 0; ; attempt += 1) {
    const hits = countOf(await subject.command('hits'));
    if (hits >= healthy || attempt === 4) return hits;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** Waits until everything is a hit; resolves to the seconds. */
async function normal(subject: Subject): Promise<number> {
  const began = performance.now();
  for (;;) {
    if (await subject.command('isNormal')) return (performance.now() - began) / 1_000;
    if (performance.now() - began > 40_000) return Number.POSITIVE_INFINITY;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

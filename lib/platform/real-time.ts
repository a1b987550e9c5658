import { MessageChannel } from 'node:worker_threads';

/**
 * Real time, which fake clocks of test frameworks do not replace: budgets, retries, leases and yields must end while a
 * test stops `Date` and the global timers.
 */

/** Milliseconds since the process began; never goes back, and no fake clock replaces it. */
export function monotonicNow(): number {
  return process.uptime() * 1000;
}

/** Milliseconds of a timer, at most (24.8 days): with more, it would end at once. */
const MAX_DELAY = 2 ** 31 - 1;

/** A timer of {@link startTimer}. */
export type RealTimer = object;

/**
 * Calls `run` once after a time.
 *
 * @param milliseconds real time; values below 1 count as 1, and those above {@link MAX_DELAY} as that
 * @param options.keepsProcess whether the process stays alive until then. Default: `false`
 */
export function startTimer(
  milliseconds: number,
  run: () => void,
  { keepsProcess = false }: { readonly keepsProcess?: boolean } = {},
): RealTimer {
  const timer = start(run, Math.min(MAX_DELAY, Math.max(1, milliseconds)));
  if (!keepsProcess) timer.unref?.();
  return timer;
}

export function stopTimer(timer: RealTimer | undefined): void {
  if (timer) stop(timer);
}

/**
 * Resolves after a time, or rejects with the signal's reason when it aborts.
 *
 * @param options.keepsProcess whether the process stays alive until then. Default: `false`
 */
export function pause(
  milliseconds: number,
  { signal, keepsProcess = false }: { readonly signal?: AbortSignal | undefined; readonly keepsProcess?: boolean } = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      stopTimer(timer);
      reject(signal?.reason);
    };
    const timer = startTimer(
      milliseconds,
      () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      },
      { keepsProcess },
    );
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * The result of `work`, or an error after so many milliseconds (Infinity: never); the work itself continues.
 *
 * @param options.keepsProcess whether the process stays alive until then. Default: `true`
 */
export function withinTime<T>(
  work: Promise<T>,
  milliseconds: number,
  timeoutError: () => Error,
  { keepsProcess = true }: { readonly keepsProcess?: boolean } = {},
): Promise<T> {
  if (milliseconds === Number.POSITIVE_INFINITY) return work;
  return new Promise((resolve, reject) => {
    const timer = startTimer(milliseconds, () => reject(timeoutError()), { keepsProcess });
    work.then(
      (value) => {
        stopTimer(timer);
        resolve(value);
      },
      (error: unknown) => {
        stopTimer(timer);
        reject(error);
      },
    );
  });
}

/** Milliseconds after which a chain of hits yields to timers and sockets. */
const TURN = 10;
let turnBeganAt = 0;

/** Returns whether the running code has not yielded to the event loop for longer than {@link TURN}. */
export function isTurnOver(): boolean {
  return monotonicNow() - turnBeganAt > TURN;
}

let yielding: Promise<void> | undefined;

/** Lets timers and sockets run before the caller continues; all callers of one turn share the next. */
export function yieldToEventLoop(): Promise<void> {
  yielding ??= new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.on('message', () => {
      port1.close();
      turnBeganAt = monotonicNow();
      yielding = undefined;
      resolve();
    });
    port2.postMessage(undefined);
  });
  return yielding;
}

interface TimerFunctions {
  readonly setTimeout: (run: () => void, milliseconds: number) => { unref?(): unknown };
  readonly clearTimeout: (timer: object) => void;
}

/** The runtime's own timers, captured when this module loads. */
const start = runtimeTimer('setTimeout');
const stop = runtimeTimer('clearTimeout');

/**
 * The timer function that no fake clock has replaced. A fake clock that was installed before keeps the real one; it may
 * have replaced one of the functions alone.
 */
function runtimeTimer<N extends keyof TimerFunctions>(name: N): TimerFunctions[N] {
  const candidates = [process.getBuiltinModule?.('node:timers'), globalThis] as unknown as (
    | TimerFunctions
    | undefined
  )[];
  const real = candidates.find((one) => one?.[name].name === name && !('clock' in one[name]));
  if (real) return real[name];
  const present = globalThis[name] as unknown as TimerFunctions[N];
  const { clock } = present as { clock?: Record<string, unknown> };
  return (clock?.[`_${name}`] ?? present) as TimerFunctions[N];
}

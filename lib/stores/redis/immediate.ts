import { MessageChannel } from 'node:worker_threads';

/**
 * node-redis writes commands in a callback of the global `setImmediate`. Fake clocks of test frameworks replace it, and a command
 * would wait until the test advances the clock.
 */

type SetImmediate = typeof globalThis.setImmediate;

const original = isFake(globalThis.setImmediate) ? undefined : globalThis.setImmediate;

/** Sends a command; while it does so, a fake `setImmediate` is replaced by a real one. */
export function sendNow<T>(send: () => T): T {
  const present = globalThis.setImmediate;
  if (present !== undefined && present === original) return send();
  globalThis.setImmediate = realImmediate as unknown as SetImmediate;
  try {
    return send();
  } finally {
    globalThis.setImmediate = present;
  }
}

function realImmediate(callback: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.on('message', () => {
    port1.close();
    callback();
  });
  port2.postMessage(undefined);
}

/** Fake clocks of Jest, vitest and sinon mark their functions. */
function isFake(setImmediate: SetImmediate | undefined): boolean {
  return setImmediate !== undefined && ('clock' in setImmediate || '_isMockFunction' in setImmediate);
}

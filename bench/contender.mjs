// A contender in a process of its own. The parent sends an operation; the answer is the microseconds of a request.

import { CONTENDERS } from './contenders.mjs';
import { WORKLOADS } from './workloads.mjs';

const OPERATIONS = {
  /** The same stored response, one request after another. */
  hits: (api, times) => inTurn(api, times, () => '/thing'),
  /** Responses that are not stored yet. */
  misses: (api, times) => inTurn(api, times, () => nextPath()),
  /** Different stored responses, all at once; the first call stores them. */
  async atOnce(api, times) {
    const paths = Array.from({ length: times }, (_, index) => `/many/${index}`);
    for (const path of paths.slice(stored)) await api.get(path);
    stored = Math.max(stored, times);
    const began = process.hrtime.bigint();
    await Promise.all(paths.map((path) => api.get(path)));
    return since(began) / times;
  },
  /** The responses of `atOnce`, one after another. */
  manyInTurn: (api, times) => inTurn(api, times, (index) => `/many/${index}`),
};

let stored = 0;
let number = 0;
function nextPath() {
  number += 1;
  return `/${process.pid}/${number}`;
}

async function inTurn(api, times, pathOf) {
  const paths = Array.from({ length: times }, (_, index) => pathOf(index));
  if (api.measure) return ((await api.measure(times, (index) => paths[index])) * 1_000) / times;
  const began = process.hrtime.bigint();
  for (const path of paths) await api.get(path);
  return since(began) / times;
}

function since(began) {
  return Number(process.hrtime.bigint() - began) / 1_000;
}

let api;
const HANDLERS = {
  async open({ name, workload, isInstant, ...context }) {
    const contender = CONTENDERS[name];
    const whole = { ...context, body: WORKLOADS[workload].body };
    if (contender.needs && !(await contender.needs(whole))) return false;
    api = await contender.open(whole, isInstant);
    await api.get('/thing');
    return true;
  },
  run: ({ operation, times }) => OPERATIONS[operation](api, times),
  close: () => api?.close(),
};

process.on('message', async ({ id, type, ...parameters }) => {
  try {
    process.send?.({ id, result: await HANDLERS[type](parameters) });
  } catch (error) {
    process.send?.({ id, error: String(error?.stack ?? error) });
  }
});
// The parent is gone.
process.on('disconnect', () => process.exit());

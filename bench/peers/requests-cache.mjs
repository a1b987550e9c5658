import { execFileSync, spawn } from 'node:child_process';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('./requests_cache_contender.py', import.meta.url));

export function isInstalled() {
  try {
    execFileSync('python3', ['-c', 'import requests_cache'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Python measures by itself: a request costs no message between the processes. */
export async function open({ originUrl, folder }) {
  const child = spawn('python3', [script, originUrl, path.join(folder, 'requests-cache')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (line) => {
    child.stdin.write(`${line}\n`);
    return Number((await lines.next()).value);
  };
  return {
    get: (url) => ask(`1 ${url}`),
    /** Milliseconds for so many requests one after another. */
    measure: (times, urlOf) => ask([times, ...Array.from({ length: times }, (_, index) => urlOf(index))].join(' ')),
    close: () => child.kill(),
  };
}

// RFC 9111 clause by clause, end to end over a real server: passed and failed.
// npm run conformance

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
const outputFile = path.join(folder, 'results.json');
const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
const tests = ['__tests__/exchange/rfc9111.test.ts', '__tests__/policy'];
try {
  execFileSync(process.execPath, [...jest, ...tests, '--json', `--outputFile=${outputFile}`, '--silent'], {
    stdio: 'ignore',
  });
} catch {
  // Failures are in the results.
}
const { testResults } = JSON.parse(readFileSync(outputFile, 'utf8'));
rmSync(folder, { recursive: true });

const clauses = new Map();
for (const { name, assertionResults } of testResults) {
  const isEndToEnd = name.endsWith('rfc9111.test.ts');
  for (const { ancestorTitles, status } of assertionResults) {
    const clause = ancestorTitles[0] ?? '';
    if (!isEndToEnd && !/section|RFC/i.test(clause)) continue;
    const row = `${isEndToEnd ? 'end to end' : path.basename(name, '.test.ts')}: ${clause}`;
    const counts = clauses.get(row) ?? { passed: 0, failed: 0 };
    counts[status === 'passed' ? 'passed' : 'failed'] += 1;
    clauses.set(row, counts);
  }
}
console.table(Object.fromEntries(clauses));
const failed = [...clauses.values()].reduce((sum, counts) => sum + counts.failed, 0);
if (failed > 0) process.exitCode = 1;

// Fails where jest left a test out.
import { readFileSync } from 'node:fs';

const { numPendingTests, numTodoTests, numPassedTests, numFailedTests } = JSON.parse(
  readFileSync(process.argv[2], 'utf8'),
);
if (numPendingTests + numTodoTests > 0) {
  console.error(`${numPendingTests + numTodoTests} tests were skipped`);
  process.exitCode = 1;
}
console.log(`${numPassedTests} passed, ${numFailedTests} failed`);

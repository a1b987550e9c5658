import { expect, test } from '@jest/globals';
import { contractRows } from '../../scripts/contract-reporter.mjs';

const surroundings = { keyv: '5', node: '20.19.0' };

function result(status: string, ...ancestorTitles: string[]) {
  return { ancestorTitles, status };
}

test('a row for each backend, whatever its tests are nested in', () => {
  const files = [
    {
      testResults: [
        result('passed', 'sqlite as a store'),
        result('failed', 'sqlite as a store', 'with several entries'),
        result('passed', 'sqlite as a store', 'with several entries'),
        result('passed', 'a file'),
      ],
    },
    {
      testResults: [
        result('pending', 'Redis, left out because it is not installed', 'redis as a store'),
        result('todo', 'Redis, left out because it is not installed', 'redis as a store'),
        result('pending', 'Redis, left out because it is not installed'),
      ],
    },
  ];
  expect(Object.entries(contractRows(files, surroundings))).toEqual([
    ['redis', { ...surroundings, passed: 0, failed: 0, skipped: 2 }],
    ['sqlite', { ...surroundings, passed: 2, failed: 1, skipped: 0 }],
  ]);
});

test('no rows if other tests were selected', () => {
  const files = [{ testResults: [result('pending', 'sqlite as a store'), result('passed', 'a file')] }];
  expect(contractRows(files, surroundings)).toEqual({});
});

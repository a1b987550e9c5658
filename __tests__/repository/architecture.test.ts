import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { type TracedRequest, tracedRequests } from '../support/traced-requests.js';

/**
 * Compares the paths of docs/architecture.md with the functions that run. Only these folders are listed and counted; the
 * others contain pure functions.
 */
const COUNTED = /^(axios|exchange|cache|stores)\//;

/** The headings of the lists, with the files that a request may use at most. The bounds may only become lower. */
const PATHS = [
  { name: 'hit', heading: '### A hit', outcome: /; hit/, bound: 9 },
  { name: 'cold', heading: '### A cold GET', outcome: /fwd=uri-miss.*stored/, bound: 18 },
  { name: 'revalidation', heading: '### A revalidation', outcome: /fwd=stale; fwd-status=304/, bound: 20 },
  { name: 'stream', heading: '### A stream', outcome: /fwd=uri-miss/, bound: 18 },
];

const page = readFileSync('docs/architecture.md', 'utf8');
let requests: ReadonlyMap<string, TracedRequest>;

/** The files of a list, each with its functions. */
function listed(heading: string): Map<string, string[]> {
  const section = page.split(`${heading}\n`)[1]?.split('\n#')[0] ?? '';
  const items = section.match(/^\d+\. .*$/gm) ?? [];
  return new Map(items.map((item) => [...item.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')).map(split));
}

function split([file = '', ...functions]: string[]): [string, string[]] {
  return [file, functions];
}

function countedFiles(name: string): string[] {
  return [...(requests.get(name)?.trace.keys() ?? [])].filter((file) => COUNTED.test(file)).sort();
}

beforeAll(async () => {
  requests = await tracedRequests();
}, 120_000);

describe.each(PATHS)('$heading of docs/architecture.md', ({ name, heading, outcome, bound }) => {
  test('is such a request', () => {
    expect(requests.get(name)?.outcome).toMatch(outcome);
  });

  test('lists every file that the request enters, and no other', () => {
    expect([...listed(heading).keys()].sort()).toEqual(countedFiles(name));
  });

  test('lists functions that run', () => {
    const trace = requests.get(name)?.trace;
    const wrong = [...listed(heading)].flatMap(([file, functions]) =>
      functions.filter((one) => !trace?.get(file)?.has(one)).map((one) => `${file}: ${one}`),
    );
    expect(wrong).toEqual([]);
    expect([...listed(heading).values()].filter((functions) => functions.length === 0)).toEqual([]);
  });

  test(`enters at most ${bound} files`, () => {
    expect(countedFiles(name).length).toBeLessThanOrEqual(bound);
  });
});

import { expect, test } from '@jest/globals';
import { type ContentKind, changedContentFields, hasWholeContent } from '../../lib/policy/changed-content.js';
import { fields } from '../../lib/policy/messages.js';

const VALIDATORS = { etag: '"1"', 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT', 'content-range': 'bytes 0-1/2' };
const DIGESTS = { 'content-md5': 'a', digest: 'b', 'content-digest': 'c', 'repr-digest': 'd' };

test.each<[string, ContentKind, Record<string, string>, Record<string, string>]>([
  ['validators and digests go', 'text', { ...VALIDATORS, ...DIGESTS, vary: 'A', age: '1' }, { vary: 'A', age: '1' }],
  ['a length is corrected', 'bytes', { 'content-length': '9' }, { 'content-length': '3' }],
  ['no length is added', 'bytes', {}, {}],
  ['text is not compressed', 'text', { 'content-encoding': 'br' }, {}],
  ['bytes may be', 'bytes', { 'content-encoding': 'br' }, { 'content-encoding': 'br' }],
  ['text keeps its type', 'text', { 'content-type': 'text/html' }, { 'content-type': 'text/html' }],
  ['JSON gets its type', 'json', { 'content-type': 'text/html' }, { 'content-type': 'application/json' }],
  ['also if there was none', 'json', {}, { 'content-type': 'application/json' }],
  [
    'JSON keeps another JSON type',
    'json',
    { 'content-type': 'application/a+json; b=c' },
    { 'content-type': 'application/a+json; b=c' },
  ],
])('%s', (_, kind, before, after) => {
  expect({ ...changedContentFields(fields(before), kind, 3) }).toEqual(after);
});

test.each([
  ['GET', 200, true],
  ['POST', 404, true],
  ['HEAD', 200, false],
  ['GET', 204, false],
  ['GET', 205, false],
  ['GET', 206, false],
  ['GET', 304, false],
])('%s %d has content: %s', (method, status, expected) => {
  expect(hasWholeContent(method, status)).toBe(expected);
});

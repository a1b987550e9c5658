import { writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { expect, test } from '@jest/globals';
import { Acknowledged, emptyAcknowledgements } from '../../scripts/matrix/shared-file/acknowledged.mjs';
import {
  bodyOf,
  ENTRIES,
  kindOf,
  numbersOf,
  TAGS,
  tagName,
  tagsOf,
  wrongIn,
} from '../../scripts/matrix/shared-file/contents.mjs';
import { temporaryFolder } from '../support/api.js';

/** The check of a file that two versions of Node.js share: it has to notice wrong responses. */

const body = bodyOf({ number: 42, version: 3, writer: 20, at: 1_000 });
const brief = bodyOf({ number: 41, version: 1, writer: 20, at: 1_000 });

test.each([
  ['the newest version', body, { number: 42, least: 3, askedAt: 9_000 }, undefined],
  ['a newer version', body, { number: 42, least: 2, askedAt: 9_000 }, undefined],
  ['an older version', body, { number: 42, least: 4, askedAt: 9_000 }, 'version 3 after 4'],
  ['the body of another key', body, { number: 43, least: 0, askedAt: 9_000 }, 'another body'],
  ['a part of a body', { ...body, fill: body.fill.slice(1) }, { number: 42, least: 0, askedAt: 9_000 }, 'another body'],
  ['parts of two versions', { ...body, version: 4 }, { number: 42, least: 0, askedAt: 9_000 }, 'another body'],
  ['a fresh response', brief, { number: 41, least: 0, askedAt: 3_000 }, undefined],
  ['an expired response', brief, { number: 41, least: 0, askedAt: 4_001 }, 'expired, 3001 ms old'],
])('%s', (_, found, request, wrong) => {
  expect(wrongIn(found, request)).toBe(wrong);
});

test('a tag names the entries that have it, none of which is kept', () => {
  const tagged = Array.from({ length: TAGS }, (_, tag) => numbersOf(tag).map((number) => [number, tagName(tag)]));
  const numbers = Array.from({ length: ENTRIES }, (_, number) => number);
  expect(tagged.flat()).toEqual(numbers.flatMap((number) => tagsOf(number).map((tag) => [number, tag])));
  expect(new Set(tagged.flat().map(([number]) => kindOf(Number(number))))).toEqual(new Set(['changing']));
});

test('the newest acknowledgement of all processes counts', async () => {
  await using folder = await temporaryFolder();
  const file = path.join(folder.path, 'acknowledged');
  writeFileSync(file, emptyAcknowledgements());
  const [one, other] = [new Acknowledged(file, 0), new Acknowledged(file, 1)];
  try {
    one.note(7, 5);
    other.note(7, 6);
    one.note(7, 4);
    expect([one.versionOf(7), other.versionOf(7), one.versionOf(6), one.versionOf(8)]).toEqual([6, 6, 0, 0]);
    other.note(ENTRIES - 1, 2);
    expect(one.versionOf(ENTRIES - 1)).toBe(2);
  } finally {
    one.close();
    other.close();
  }
});

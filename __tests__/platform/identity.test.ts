import { expect, test } from '@jest/globals';
import { identityOf } from '../../lib/platform/identity.js';
import { program } from '../support/child.js';

test('one object has one identity, two have two', () => {
  const [one, two] = [{}, () => {}];
  expect(identityOf(one)).toBe(identityOf(one));
  expect(identityOf(one)).not.toBe(identityOf(two));
});

test('identities of processes differ', async () => {
  await using other = program("import { identityOf } from './lib/platform/identity.js'; console.log(identityOf({}));");
  expect(await other.run()).not.toBe(await other.run());
});

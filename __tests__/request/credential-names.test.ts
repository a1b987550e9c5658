import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import {
  CREDENTIAL_HEADER_WORDS,
  CREDENTIAL_PARAMETERS,
  POSSIBLE_CREDENTIAL_PARAMETERS,
} from '../../lib/request/credential-names.js';
import { isCredentialHeader, storedParameter } from '../../lib/request/credentials.js';

const none = { credentialNames: new Set<string>() };
const security = readFileSync('docs/security.md', 'utf8').replace(/\s+/g, ' ');

test.each([
  ['words of headers', CREDENTIAL_HEADER_WORDS],
  ['parameters', CREDENTIAL_PARAMETERS],
  ['possible parameters', POSSIBLE_CREDENTIAL_PARAMETERS],
])('%s are frozen, and all of them are documented', (_, names) => {
  expect(Object.isFrozen(names)).toBe(true);
  expect(names.length).toBeGreaterThan(10);
  const listed = names.join(', ');
  expect(security.includes(listed) || security.includes(listed.replace(/, ([a-z]+)$/, ' or $1'))).toBe(true);
});

test('the lists are those that apply', () => {
  for (const word of CREDENTIAL_HEADER_WORDS) expect(isCredentialHeader(`x-${word}`, none)).toBe(true);
  for (const name of CREDENTIAL_PARAMETERS) expect(storedParameter(name, none)).toBe('redact');
  for (const name of POSSIBLE_CREDENTIAL_PARAMETERS) expect(storedParameter(name, none)).toBe('redact-if-secret');
});

import { describe, expect, test } from '@jest/globals';
import {
  isCredentialHeader,
  isIgnoredNested,
  looksLikeSecret,
  type NameRules,
  plainName,
  storedParameter,
} from '../../lib/request/credentials.js';
import { expectLinear } from '../support/linear.js';
import { AMBIGUOUS_PARAMETERS } from '../support/planted-secrets.js';

const NONE: NameRules = { ignoredParameters: new Set(), credentialNames: new Set() };
const NAMED: NameRules = { ...NONE, credentialNames: new Set(['X-Device', 'request-id', 'pin'].map(plainName)) };

describe('headers that are credentials', () => {
  test.each([
    'authorization',
    'proxy-authorization',
    'cookie',
    'x-auth',
    'x-authentication',
    'x-api-key',
    'apikey',
    'x-my-apikey',
    'private-token',
    'x-postmark-server-token',
    'x-accesstoken',
    'x_auth_token',
    'x.vault.token',
    'ocp-apim-subscription-key',
    'x-client-id',
    'x-client-secret',
    'clientid',
    'x-mysecret',
    'x-password',
    'x-dbpassword',
    'passwd',
    'pwd',
    'x-jwt',
    'x-goog-iap-jwt-assertion',
    'x-myjwt',
    'x-session',
    'sessionid',
    'x-usersession',
    'sid',
    'signature',
    'x-hub-signature-256',
    'x-msgsignature',
    'x-sig',
    'x-credential',
    'x-credentials',
    'bearer',
    'x-identity',
    'x-tenant',
    'tenantid',
    'x-mytenantid',
    'x-account',
    'stripe-account',
    'x-accountid',
    'x-org',
    'openai-organization',
    'x-scope-orgid',
    'x-user',
    'x-forwarded-user',
    'userid',
    'x-customer',
    'x-customerid',
    'impersonate-user',
    'x-impersonate',
    'x-on-behalf-of',
    'x-onbehalf',
    'x-onbehalfof',
    'api-username',
    'sudo',
    'x-consumer-username',
    'x-forwarded-email',
    'x-pw-useremail',
    'x-ms-client-principal-name',
    'x-login',
    'x-uid',
    'dropbox-api-select-admin',
    'mscrmcallerid',
    'callerobjectid',
    'x-hasura-role',
    'x-forwarded-groups',
    'x-workspace-id',
    'openai-project',
    'x-oauth',
    'x-otp',
    'dpop',
    'x-ssl-client-dn',
    'x-accesskey',
    'appkey',
    ...['x-deviceid', 'x-storeid', 'x-memberid', 'x-merchantid', 'x-subjectid', 'x-tenantcode', 'tenantdomain'],
    ...['x-userinfo', 'x-orgname', 'x-groupid', 'x-app-id', 'x-appid', 'x-parse-application-id', 'x-installation-id'],
    ...['x-visitor-id', 'x-goog-visitor-id', 'x-guest-id', 'x-anonymousid', 'x-cart-id', 'x-patient-id', 'x-vendor-id'],
    ...['x-kong-consumer', 'x-consumer-id', 'x-goog-authuser', 'x-multitenant', 'x-phpsessid', 'jsessionid'],
    ...['x-arr-clientcert', 'x-amzn-mtls-clientcert', 'x-amzn-oidc-data', 'x-certificate', 'x-2fa-code', 'x-mfa-code'],
    ...['x-act-as', 'x-runas', 'x-view-as', 'remote-name', 'x-webauth-name', 'stripe-context', 'x-anchormailbox'],
    ...[
      'x-msisdn',
      'x-nokia-msisdn',
      'x-up-calling-line-id',
      'x-phone-number',
      'x-scopes',
      'x-permissions',
      'x-claims',
    ],
  ])('%s', (name) => expect(isCredentialHeader(name, NONE)).toBe(true));
});

describe('headers that are not', () => {
  test.each([
    'accept',
    'accept-language',
    'content-type',
    'if-none-match',
    'user-agent',
    'origin',
    'referer',
    'sec-fetch-user',
    'sec-websocket-key',
    'idempotency-key',
    'x-idempotency-key',
    'x-request-id',
    'requestid',
    'x-client-request-id',
    'x-ms-client-request-id',
    'x-correlation-id',
    'x-correlationid',
    'x-amzn-trace-id',
    'x-b3-traceid',
    'x-b3-span-id',
    'traceparent',
    'tracestate',
    'baggage',
    'sentry-trace',
    'x-datadog-trace-id',
    'x-datadog-parent-id',
    'x-stainless-retry-count',
    'x-goog-api-client',
    'keyboard',
    'x-tokens',
    'x-authority',
    'x-organized',
    'x-cache',
    ...['x-app-version', 'x-client-name', 'x-store', 'x-as', 'view', 'x-context', 'x-remote', 'x-domain', 'x-grouped'],
    ...['amz-sdk-invocation-id', 'x-cloud-trace-context', 'x-transaction-id', 'x-event-id', 'x-request-context'],
    '__proto__',
    'constructor',
    '',
  ])('%p', (name) => expect(isCredentialHeader(name, NONE)).toBe(false));
});

test('credentialNames add headers, in any separator, also among the exceptions', () => {
  expect(['x-device', 'x_device', 'request-id', 'pin'].map((name) => isCredentialHeader(name, NAMED))).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(isCredentialHeader('x-other', NAMED)).toBe(false);
});

describe('parameters', () => {
  test.each([
    'access_token',
    'AccessToken',
    'access-token',
    'access.token',
    'user_access_token',
    'API_KEY',
    'my-api-key',
    'password',
    'new_password',
    'user[password]',
    'user.password',
    'user%5Bpassword',
    'password[0]',
    'password[]',
    'password[new]',
    'X-Amz-Signature',
    'X-Amz-Date',
    'x-goog-credential',
    'hdnea',
    'HMAC',
    'jwt',
    'user[jwt]',
    'pwd',
    'client_assertion',
    'code_verifier',
  ])('%s is always redacted', (name) => expect(storedParameter(name, NONE)).toBe('redact'));

  test.each(AMBIGUOUS_PARAMETERS)('%s is redacted by its value', (name) => {
    expect(storedParameter(name, NONE)).toBe('redact-if-secret');
  });

  test.each([
    'page',
    'page_token',
    'pageToken',
    'nextToken',
    'continuation-token',
    'cursor',
    'author',
    'keyword',
    'mypwd',
    'myjwt',
    'myhmac',
    'x-ama',
    'tokens',
    '',
    '[]',
    '__proto__',
  ])('%p is not', (name) => expect(storedParameter(name, NONE)).toBe('keep'));

  test('credentialNames add parameters, nested ones and page tokens too', () => {
    const rules = { ...NONE, credentialNames: new Set(['pin', 'cursor']) };
    for (const name of ['pin', 'P-I-N', 'card[pin]', 'cursor']) expect(storedParameter(name, rules)).toBe('redact');
  });
});

test.each<[string, boolean]>([
  ['', false],
  ['page2', false],
  ['abcdefghijklmnopqrstuvwxyz', false],
  ['12345678901234567890', false],
  ['abcdefgh1234567', false],
  ['abcdefgh12345678', true],
  ['ABCDEFGH-1234_678', true],
])('%p looks like a secret: %p', (value, expected) => expect(looksLikeSecret(value)).toBe(expected));

test('ignored parameters are nested only in brackets', () => {
  const rules = { ...NONE, ignoredParameters: new Set(['session']) };
  const names = ['session', 'Session', 'user[session]', 'session[a]', 'user.session', 'sessions', 'user[sessions]'];
  expect(names.map((name) => isIgnoredNested(name, rules))).toEqual([true, true, true, true, false, false, false]);
});

test.each<[string, (length: number) => unknown]>([
  ['a header of separators', (length) => isCredentialHeader('-'.repeat(length), NONE)],
  ['a header of letters', (length) => isCredentialHeader('a'.repeat(length), NONE)],
  ['a parameter of brackets', (length) => storedParameter('['.repeat(length), NONE)],
])('a long name takes linear time: %s', (_, work) => expectLinear(work));

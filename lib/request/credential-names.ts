/**
 * The words of request headers that are credentials by default: a header is one if its name has one of these words, in lower
 * case, between characters other than letters and digits. docs/security.md has the complete rule. The option
 * `credentialNames` adds names.
 */
export const CREDENTIAL_HEADER_WORDS: readonly string[] = /* @__PURE__ */ Object.freeze([
  'token',
  'auth',
  'authorization',
  'authentication',
  'apikey',
  'key',
  'secret',
  'password',
  'passwd',
  'pwd',
  'jwt',
  'session',
  'sessionid',
  'sid',
  'cookie',
  'signature',
  'sig',
  'credential',
  'credentials',
  'assertion',
  'bearer',
  'identity',
  'tenant',
  'tenantid',
  'account',
  'accountid',
  'org',
  'organization',
  'user',
  'userid',
  'customer',
  'impersonate',
  'behalf',
]);

/**
 * The parameters of queries and bodies that are always redacted, in lower case, without `-`, `_`, `.`, `[` and `]`; so are
 * names that end in one of at least six letters.
 */
export const CREDENTIAL_PARAMETERS: readonly string[] = /* @__PURE__ */ Object.freeze([
  'accesstoken',
  'apikey',
  'apitoken',
  'authtoken',
  'authorization',
  'bearertoken',
  'clientassertion',
  'clientsecret',
  'codeverifier',
  'credential',
  'credentials',
  'hdnea',
  'hmac',
  'idtoken',
  'jwt',
  'passphrase',
  'passwd',
  'password',
  'privatekey',
  'pwd',
  'refreshtoken',
  'secret',
  'secretkey',
  'sessiontoken',
  'signature',
  'subscriptionkey',
]);

/**
 * The parameters of queries and bodies that are redacted only if the value has at least 16 characters, with letters and
 * digits among them.
 */
export const POSSIBLE_CREDENTIAL_PARAMETERS: readonly string[] = /* @__PURE__ */ Object.freeze([
  'appid',
  'assertion',
  'auth',
  'code',
  'key',
  'pass',
  'session',
  'sessionid',
  'sid',
  'sig',
  'token',
]);

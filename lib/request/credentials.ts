/** Request headers that say who asks; lower case. */
const CREDENTIAL_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'cookie2',
  'api-key',
  'apikey',
  'x-api-key',
  'x-apikey',
  'x-api-token',
  'x-access-token',
  'x-auth-token',
  'x-session-token',
  'x-amz-security-token',
  'x-csrf-token',
  'x-xsrf-token',
  'x-functions-key',
  'x-goog-api-key',
  'x-goog-iam-authorization-token',
  'x-shopify-access-token',
  'x-vault-token',
  'private-token',
  'job-token',
  'ocp-apim-subscription-key',
]);

/** Query and body parameters that say who asks; lower case, without `-` and `_`. */
const CREDENTIAL_PARAMETERS: ReadonlySet<string> = new Set([
  'accesstoken',
  'apikey',
  'apitoken',
  'auth',
  'authtoken',
  'authorization',
  'clientsecret',
  'idtoken',
  'password',
  'passwd',
  'refreshtoken',
  'secret',
  'sessiontoken',
  'sig',
  'signature',
  'subscriptionkey',
  'token',
  'xamzcredential',
  'xamzsecuritytoken',
  'xamzsignature',
]);

/** @param name lower case */
export function isCredentialHeader(name: string): boolean {
  return CREDENTIAL_HEADERS.has(name);
}

/** @param name in any case */
export function isCredentialParameter(name: string): boolean {
  return CREDENTIAL_PARAMETERS.has(name.toLowerCase().replace(/[-_]/g, ''));
}

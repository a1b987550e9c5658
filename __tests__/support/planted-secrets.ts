import type { AxiosRequestConfig } from 'axios';
import { CookieJar } from 'tough-cookie';
import type { CacheOptions } from '../../lib/settings/types.js';
import type { Handler } from './origin.js';

/** A place in a request where a secret can be. */
export interface Place {
  readonly name: string;
  /** @param origin URL of the origin, without a trailing slash */
  readonly request: (secret: string, origin: string) => AxiosRequestConfig | Promise<AxiosRequestConfig>;
}

/** Settings under which all places are secret and all requests are stored. */
export const PLANTING_OPTIONS = {
  allowableMethods: ['GET', 'POST'],
  credentialNames: ['X-Device', 'pin'],
  ignoredParameters: ['mine'],
  matchHeaders: true,
} as const satisfies CacheOptions;

const HEADERS = [
  'Authorization',
  'Proxy-Authorization',
  'Cookie',
  'X-API-Key',
  'ApiKey',
  'X-Auth-Token',
  'X-Access-Token',
  'X-AccessToken',
  'X-Postmark-Server-Token',
  'X-Session-Id',
  'X-CSRF-Token',
  'X_XSRF_TOKEN',
  'Private-Token',
  'X-Vault-Token',
  'X-Shopify-Access-Token',
  'Ocp-Apim-Subscription-Key',
  'X-Functions-Key',
  'X-Amz-Security-Token',
  'X-Goog-Iam-Authorization-Token',
  'Authentication',
  'X-Client-Secret',
  'X-ClientId',
  'X-Password',
  'X-Jwt-Assertion',
  'X-MyJwt',
  'Sid',
  'Signature',
  'X-Hub-Signature-256',
  'X-Sig',
  'X-Bearer',
  'X-Ms-Credentials',
  'X-Identity',
  'X-Tenant-Id',
  'X-Scope-OrgID',
  'OpenAI-Organization',
  'X-Account',
  'X-User-Id',
  'X-Customer',
  'Impersonate-User',
  'X-On-Behalf-Of',
  'DD-Application-Key',
  'X-Device',
  'Mine',
];
/** Parameters that are redacted only if their value looks like a secret; written out, since the product's list is tested. */
export const AMBIGUOUS_PARAMETERS: readonly string[] = [
  'appid',
  'assertion',
  'auth',
  'code',
  'key',
  'pass',
  'session',
  'SessionId',
  'sid',
  'sig',
  'token',
  'user[token]',
];
const PARAMETERS = [
  'access_token',
  'API-Key',
  'api.token',
  'authToken',
  'Authorization',
  'bearer_token',
  'client_assertion',
  'clientSecret',
  'code_verifier',
  'credentials',
  'hdnea',
  'HMAC',
  'id_token',
  'jwt',
  'passphrase',
  'passwd',
  'password',
  'private_key',
  'pwd',
  'refreshToken',
  'secret',
  'secret-key',
  'session_token',
  'signature',
  'subscription-key',
  'X-Amz-Credential',
  'X-Amz-Signature',
  'X-Goog-Signature',
  'user_access_token',
  'user[password]',
  'user[auth][secret][0]',
  'password[new]',
  ...AMBIGUOUS_PARAMETERS,
  'pin',
  'mine',
];

const JSON_TYPE = { 'Content-Type': 'application/json' };
const FORM_TYPE = { 'Content-Type': 'application/x-www-form-urlencoded' };

const jsonText = (secret: string) => JSON.stringify({ deep: [{ password: secret, list: { token: [secret] } }], a: 1 });
const formText = (secret: string) => `a=1&client_secret=${secret}&user%5Btoken%5D=${secret}`;
const post = (data: unknown, headers: Record<string, string> = {}): AxiosRequestConfig => ({
  method: 'post',
  data,
  headers,
});
const formData = (secret: string) => {
  const form = new FormData();
  form.append('password', secret);
  form.append('user[token]', secret);
  return form;
};

const OTHERS: Record<string, Place['request']> = {
  'config.auth': (password) => ({ auth: { username: 'user', password } }),
  'user name and password of the URL': (secret, origin) => ({ url: origin.replace('//', `//user:${secret}@`) }),
  'a cookie jar': async (secret, origin) => {
    const jar = new CookieJar();
    await jar.setCookie(`session=${secret}`, origin);
    return { jar } as AxiosRequestConfig;
  },
  'the jar of an agent': async (secret, origin) => {
    const jar = new CookieJar();
    await jar.setCookie(`session=${secret}`, origin);
    return { jar: { getCookieString: (url: string) => jar.getCookieString(url) } } as AxiosRequestConfig;
  },
  'a URL in Referer': (secret) => ({ headers: { Referer: `https://a.test/?access_token=${secret}` } }),
  'a URL in another header': (secret) => ({ headers: { 'X-Original-URL': `/callback?id_token=${secret}` } }),
  'a fragment in a header': (secret) => ({ headers: { Referer: `https://a.test/#id_token=${secret}&x=1` } }),
  'the query of a redirect': (secret) => ({ url: `/hop?token=${secret}` }),
  'a URL in a parameter': (secret) => ({ params: { next: `https://a.test/?access_token=${secret}` } }),
  'JSON in a parameter': (secret) => ({ params: { variables: jsonText(secret) } }),
  'JSON in a form': (secret) => post(new URLSearchParams({ payload: jsonText(secret) })),
  'JSON in JSON': (secret) => post({ query: 'x', extra: jsonText(secret) }),
  'JSON as an object': (secret) => post({ deep: { password: secret } }),
  'JSON as text': (secret) => post(jsonText(secret), JSON_TYPE),
  'JSON as a Buffer': (secret) => post(Buffer.from(jsonText(secret)), JSON_TYPE),
  'JSON as a typed array': (secret) => post(new TextEncoder().encode(jsonText(secret)), JSON_TYPE),
  'JSON as an ArrayBuffer': (secret) => post(new Uint8Array(Buffer.from(jsonText(secret))).buffer, JSON_TYPE),
  'JSON as a Blob': (secret) => post(new Blob([jsonText(secret)], { type: 'application/json' })),
  'JSON of a suffix type': (secret) => post(jsonText(secret), { 'Content-Type': 'application/vnd.api+json' }),
  'JSON that is damaged': (secret) => post(`${jsonText(secret)},`, JSON_TYPE),
  'JSON under the type of forms': (secret) => post(jsonText(secret)),
  'JSON under a type of text': (secret) => post(jsonText(secret), { 'Content-Type': 'text/plain' }),
  'JSON in UTF-16': (secret) =>
    post(Buffer.from(jsonText(secret), 'utf16le'), { 'Content-Type': 'application/json; charset=utf-16' }),
  'a form as text': (secret) => post(formText(secret), FORM_TYPE),
  'a form as a Buffer': (secret) => post(Buffer.from(formText(secret)), FORM_TYPE),
  'a form as URLSearchParams': (secret) => post(new URLSearchParams({ api_key: secret })),
  'a form as an object': (secret) => post({ user: { password: secret } }, FORM_TYPE),
  FormData: (secret) => post(formData(secret)),
  'a multipart body as bytes': (secret) =>
    post(Buffer.from(`--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n${secret}\r\n--b--\r\n`), {
      'Content-Type': 'multipart/form-data; boundary=b',
    }),
};

/** More than a hundred names and places. */
export const PLACES: readonly Place[] = [
  ...HEADERS.map((name) => ({
    name: `header ${name}`,
    request: (secret: string) => ({ headers: { [name]: secret } }),
  })),
  ...PARAMETERS.map((name) => ({
    name: `query parameter ${name}`,
    request: (secret: string) => ({ params: { [name]: secret } }),
  })),
  ...Object.entries(OTHERS).map(([name, request]) => ({ name, request })),
];

/** Long enough, and of letters and digits, to be a secret by its look. */
export function secretOf(index: number): string {
  return `s3cr3t${String(index).padStart(3, '0')}${'qzjx'.repeat(3)}`;
}

/** Answers, and repeats `token` of the query of `/hop` in the places of a redirect chain. */
export const plantingOrigin: Handler = ({ url }, response) => {
  const { pathname, searchParams } = new URL(url, 'http://a.test');
  response.setHeader('set-cookie', `id=${searchParams.get('token') ?? 'none'}`);
  if (pathname !== '/hop') return void response.end('harmless');
  response.setHeader('x-access-token', searchParams.get('token') ?? '');
  response.writeHead(302, { location: `/end?token=${searchParams.get('token')}&x=1` }).end();
};

/** Returns the planted secrets that a text contains, as they are, in base64 at any offset, in hexadecimal digits, or in UTF-16. */
export function foundSecrets(text: string): string[] {
  return PLACES.flatMap(({ name }, index) => {
    const secret = secretOf(index);
    const forms = [
      secret,
      ...[0, 1, 2].map((offset) => innerBase64(secret, offset)),
      Buffer.from(secret).toString('hex'),
    ];
    const wide = Buffer.from(secret, 'utf16le').toString('latin1');
    return [...forms, wide].some((form) => text.includes(form)) ? [name] : [];
  });
}

/** The part of base64 that does not depend on the text around it. */
function innerBase64(text: string, offset: number): string {
  const encoded = Buffer.from('\0'.repeat(offset) + text)
    .toString('base64')
    .replace(/=+$/, '');
  return encoded.slice(offset === 0 ? 0 : 4, -2);
}

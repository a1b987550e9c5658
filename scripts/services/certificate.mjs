import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import * as path from 'node:path';

// A certificate for servers of tests, without a program such as openssl.

const SEQUENCE = 0x30;
const SET = 0x31;
const ECDSA_WITH_SHA256 = '06082a8648ce3d040302';
const COMMON_NAME = '0603550403';
const SUBJECT_ALTERNATIVE_NAME = '0603551d11';
const BASIC_CONSTRAINTS = '0603551d13';
const DAY = 86_400_000;

/**
 * Makes a key, and a certificate for `localhost` and 127.0.0.1 that it signed itself. It is valid for two days.
 *
 * @param {string} folder for the files
 * @returns {{ cert: string, key: string }} their names
 */
export function selfSigned(folder) {
  const files = { cert: path.join(folder, 'cert.pem'), key: path.join(folder, 'key.pem') };
  const encoding = /** @type {const} */ ({
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1', ...encoding });
  const algorithm = der(SEQUENCE, hex(ECDSA_WITH_SHA256));
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, hex(COMMON_NAME), der(0x0c, Buffer.from('localhost')))));
  const serial = Buffer.concat([Buffer.of(1), randomBytes(15)]);
  const certified = der(
    SEQUENCE,
    der(0xa0, hex('020102')),
    der(0x02, serial),
    algorithm,
    name,
    der(SEQUENCE, time(Date.now() - DAY), time(Date.now() + 2 * DAY)),
    name,
    publicKey,
    der(0xa3, der(SEQUENCE, ...extensions())),
  );
  const signature = der(0x03, Buffer.of(0), sign('sha256', certified, createPrivateKey(privateKey)));
  const base64 = der(SEQUENCE, certified, algorithm, signature).toString('base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  writeFileSync(files.cert, ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'));
  writeFileSync(files.key, privateKey);
  return files;
}

/** @returns {readonly Buffer[]} */
function extensions() {
  const names = der(SEQUENCE, der(0x82, Buffer.from('localhost')), der(0x87, Buffer.of(127, 0, 0, 1)));
  const isAuthority = der(SEQUENCE, hex('0101ff'));
  return [
    der(SEQUENCE, hex(SUBJECT_ALTERNATIVE_NAME), der(0x04, names)),
    der(SEQUENCE, hex(BASIC_CONSTRAINTS), hex('0101ff'), der(0x04, isAuthority)),
  ];
}

/** @param {number} at milliseconds since the epoch */
function time(at) {
  const digits = new Date(at).toISOString().replaceAll(/\D/g, '').slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`));
}

/** @param {string} text */
function hex(text) {
  return Buffer.from(text, 'hex');
}

/**
 * A value in the Distinguished Encoding Rules (X.690).
 *
 * @param {number} tag
 * @param {...Uint8Array} parts of its content
 */
function der(tag, ...parts) {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  return Buffer.concat([Buffer.of(tag, 0x82, length >> 8, length & 0xff), content]);
}

import { isUtf8 as isValidUtf8 } from 'node:buffer';

export const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Returns a Buffer over the same memory, or over the UTF-8 bytes of a text. */
export function bufferOf(data: string | Uint8Array): Buffer {
  if (typeof data === 'string') return Buffer.from(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

/** Returns whether a value is bytes, also of another realm, whose instances have another class. */
export function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === '[object Uint8Array]';
}

/** Returns the bytes of a typed array, DataView or ArrayBuffer as a Uint8Array over the same memory; undefined for others. */
export function bytesOf(value: unknown): Uint8Array | undefined {
  if (isBytes(value)) return value;
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return isArrayBuffer(value) ? Buffer.from(value) : undefined;
}

/** No UTF-8 text begins with this byte. */
const UTF16_MARK = 0xff;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Encodes a text as UTF-8; as UTF-16 after a mark if it has a lone surrogate, which UTF-8 would lose. */
export function encodeText(text: string): Buffer {
  if (!LONE_SURROGATE.test(text)) return Buffer.from(text);
  return Buffer.concat([Buffer.of(UTF16_MARK), Buffer.from(text, 'utf16le')]);
}

/** Decodes the result of {@link encodeText}. */
export function decodeText(bytes: Uint8Array): string {
  const buffer = bufferOf(bytes);
  return buffer[0] === UTF16_MARK ? buffer.toString('utf16le', 1) : buffer.toString('utf8');
}

/** Returns whether a value is an ArrayBuffer, also of another realm, or one that threads share. */
export function isArrayBuffer(value: unknown): value is ArrayBuffer {
  const tag = Object.prototype.toString.call(value);
  return tag === '[object ArrayBuffer]' || tag === '[object SharedArrayBuffer]';
}

/** Returns the bytes as this realm's own Uint8Array: jose compares classes. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes);
}

/** Whether bytes are a text in UTF-8. */
export function isUtf8(bytes: Uint8Array): boolean {
  return isValidUtf8(bytes);
}

import type { InternalAxiosRequestConfig } from 'axios';
import type { BodyForm } from '../models/record.js';
import { bufferOf, isArrayBuffer, isBytes, NO_BYTES } from '../platform/bytes.js';
import type { MaybePromise } from '../platform/maybe-promise.js';
import type { Flavor } from './flavor.js';
import { streamOf } from './stream-body.js';

/** The data of an adapter for `responseType: 'arraybuffer'`, as bytes to store. */
export interface RawBody {
  readonly bodyForm: BodyForm | 'opaque';
  readonly body: Uint8Array;
}

/** Reads an adapter's data. Adapters that ignore `responseType` (mocks) may return text or objects: see {@link BodyForm}. */
export function readBody(data: unknown): MaybePromise<RawBody> {
  if (data === undefined || data === null) return { bodyForm: 'none', body: NO_BYTES };
  if (isBytes(data)) return { bodyForm: 'bytes', body: data };
  if (isArrayBuffer(data)) return { bodyForm: 'bytes', body: new Uint8Array(data) };
  if (typeof data === 'string') return { bodyForm: 'text', body: Buffer.from(data) };
  if (typeof Blob !== 'undefined' && data instanceof Blob) {
    return data.arrayBuffer().then((bytes) => ({ bodyForm: 'bytes', body: new Uint8Array(bytes) }));
  }
  if (isPlainData(data)) {
    const text = stringify(data);
    if (text !== undefined) return { bodyForm: 'json', body: Buffer.from(text) };
  }
  return { bodyForm: 'opaque', body: NO_BYTES };
}

/** Returns whether JSON represents the value: instances of other classes than Array and Object would change. */
function isPlainData(data: unknown): boolean {
  if (typeof data !== 'object' || data === null) return typeof data === 'number' || typeof data === 'boolean';
  const prototype: unknown = Object.getPrototypeOf(data);
  return Array.isArray(data) || prototype === null || prototype === Object.prototype;
}

function stringify(data: unknown): string | undefined {
  try {
    return JSON.stringify(data);
  } catch {
    return undefined;
  }
}

/**
 * Returns the data that an adapter of this flavor would return to the caller, before `transformResponse`. Always a new
 * value: callers never receive the stored bytes themselves.
 */
export function materialize(
  { bodyForm, body }: { bodyForm: BodyForm; body: Uint8Array },
  config: InternalAxiosRequestConfig,
  flavor: Flavor,
  contentType: string | undefined,
): unknown {
  if (config.responseType === 'stream') return asStream(bodyForm, body, flavor);
  switch (bodyForm) {
    case 'none':
      return undefined;
    case 'text':
      return bufferOf(body).toString('utf8');
    case 'json':
      return JSON.parse(bufferOf(body).toString('utf8'));
    case 'bytes':
      return flavor === 'http' ? asHttp(body, config) : asFetch(body, config, contentType);
  }
}

/** Returns a Node stream, or the fetch adapter's web stream, which is null without a body. */
function asStream(bodyForm: BodyForm, body: Uint8Array, flavor: Flavor): unknown {
  if (flavor !== 'fetch') return streamOf(body);
  return bodyForm === 'none' ? null : new Response(copyOf(body)).body;
}

/** Returns the value of the http adapter: a Buffer for `arraybuffer`, else text. */
function asHttp(body: Uint8Array, config: InternalAxiosRequestConfig): unknown {
  if (config.responseType === 'arraybuffer') return Buffer.from(body);
  const encoding = config.responseEncoding as BufferEncoding | undefined;
  const text = bufferOf(body).toString(encoding);
  return !encoding || encoding === 'utf8' ? stripByteOrderMark(text) : text;
}

/** Returns the value of the fetch and xhr adapters: that of the platform's readers, without `responseEncoding`. */
function asFetch(body: Uint8Array, config: InternalAxiosRequestConfig, contentType: string | undefined): unknown {
  switch (config.responseType) {
    case 'arraybuffer':
      return copyOf(body).buffer;
    case 'blob':
      return asResponse(body, contentType).blob();
    case 'formdata':
      return asResponse(body, contentType).formData();
    default:
      return stripByteOrderMark(bufferOf(body).toString('utf8'));
  }
}

/** Returns the platform's reader for a blob or form data. */
function asResponse(body: Uint8Array, contentType: string | undefined): Response {
  return new Response(copyOf(body), contentType ? { headers: { 'content-type': contentType } } : {});
}

/** Not `slice()`: that of a Buffer returns a view of the same memory. */
function copyOf(body: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(body);
}

function stripByteOrderMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

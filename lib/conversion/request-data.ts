import type { FormEntry, RequestBody } from '../models/cache-request.js';
import { isArrayBuffer } from '../platform/bytes.js';
import type { MaybePromise } from '../platform/maybe-promise.js';

const NO_BODY: RequestBody = { kind: 'none' };
const STREAM: RequestBody = { kind: 'stream' };

/** Returns the body after `transformRequest`, as the adapter sends it. */
export function readRequestData(data: unknown): MaybePromise<RequestBody> {
  if (data === undefined || data === null) return NO_BODY;
  if (typeof data === 'string') return { kind: 'text', text: data };
  if (ArrayBuffer.isView(data)) {
    return { kind: 'bytes', bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
  }
  if (isArrayBuffer(data)) return { kind: 'bytes', bytes: new Uint8Array(data) };
  // Recognized by their tags: the classes may be of another realm or of a polyfill.
  switch (Object.prototype.toString.call(data)) {
    case '[object URLSearchParams]':
      return { kind: 'text', text: String(data) };
    case '[object Blob]':
    case '[object File]':
      return readBlob(data as Blob);
    case '[object FormData]':
      // The package form-data has the same tag, but is a stream.
      return Symbol.iterator in Object(data) ? readForm(data as FormData) : STREAM;
    default:
      return STREAM;
  }
}

/**
 * Returns a body that the caller cannot change: bytes, forms and parameters are copied, since a cached request is sent
 * after its key was computed.
 */
export function ownCopyOf(data: unknown): unknown {
  if (typeof data !== 'object' || data === null) return data;
  if (Buffer.isBuffer(data)) return Buffer.from(data);
  if (ArrayBuffer.isView(data)) return copyOfView(data);
  if (isArrayBuffer(data)) return data.slice(0);
  switch (Object.prototype.toString.call(data)) {
    case '[object URLSearchParams]':
      return new (data as URLSearchParams & { constructor: typeof URLSearchParams }).constructor(String(data));
    case '[object FormData]':
      return Symbol.iterator in data ? copyOfForm(data as FormData) : data;
    default:
      return data;
  }
}

/** Of the same class, since axios's http adapter accepts only some. */
function copyOfView(view: ArrayBufferView): ArrayBufferView {
  const { buffer, byteOffset, byteLength } = view;
  const bytes = buffer.slice(byteOffset, byteOffset + byteLength);
  return new (view.constructor as new (buffer: ArrayBufferLike) => ArrayBufferView)(bytes);
}

/** Files cannot change. The class may be that of a polyfill. */
function copyOfForm(form: FormData): FormData {
  const copy = new (form.constructor as new () => FormData)();
  for (const [name, value] of form) copy.append(name, value as string);
  return copy;
}

async function readBlob(blob: Blob): Promise<RequestBody> {
  return { kind: 'bytes', bytes: new Uint8Array(await blob.arrayBuffer()), type: blob.type };
}

async function readForm(form: FormData): Promise<RequestBody> {
  const entries: FormEntry[] = [];
  for (const [name, value] of [...form]) {
    if (typeof value === 'string') entries.push([name, value]);
    else {
      const bytes = new Uint8Array(await value.arrayBuffer());
      entries.push([name, { name: value.name, type: value.type, bytes }]);
    }
  }
  return { kind: 'form', entries };
}

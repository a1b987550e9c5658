import type { Entry } from '../models/entry.js';
import type { StoredRecord } from '../models/record.js';
import { NO_BYTES } from '../platform/bytes.js';
import type { Fields } from '../policy/messages.js';
import { compactRecord } from './compact-record.js';
import { metadataOf } from './metadata.js';
import type { SerializedForm } from './serialized-form.js';

/**
 * An entry that keeps its record, for a store in this process's memory: metadata is serialized if it is read, which no
 * hit does. The record's own fields are not copied, since a cache has many of these.
 */
export class RecordEntry implements Entry {
  readonly id: string;
  readonly group: string;
  readonly record: StoredRecord;
  readonly size: number;
  readonly #form: SerializedForm;

  constructor(id: string, group: string, record: StoredRecord, form: SerializedForm) {
    this.id = id;
    this.group = group;
    this.record = compactRecord(record);
    this.size = metadataSize(record) + this.body.byteLength;
    this.#form = form;
  }

  get kind(): StoredRecord['kind'] {
    return this.record.kind;
  }

  get receivedAt(): number {
    return Math.floor(this.record.receivedAt);
  }

  get staleAt(): number {
    return this.record.staleAt;
  }

  get indexes(): readonly string[] {
    return this.record.indexes;
  }

  get order(): number {
    return this.record.order;
  }

  get protection(): '' {
    return '';
  }

  get signature(): '' {
    return '';
  }

  get meta(): Uint8Array {
    return this.#form.writeMetadataNow(metadataOf(this.record));
  }

  get body(): Uint8Array {
    return this.record.kind === 'response' ? this.record.body : NO_BYTES;
  }

  /** The record as listings return it. */
  withoutBody(): { readonly record: StoredRecord } {
    return { record: this.record.kind === 'response' ? { ...this.record, body: NO_BYTES } : this.record };
  }
}

/** Bytes that a record's metadata takes in memory, approximately: the characters, and a share for each object. */
function metadataSize(record: StoredRecord): number {
  if (record.kind !== 'response') return record.key.length;
  const { headers, request, history, statusText, url, vary, tags } = record;
  let size = statusText.length + url.length + fieldsSize(headers) + fieldsSize(request.headers);
  size += request.url.length + (request.body?.length ?? 0);
  for (const hop of history) size += hop.url.length + fieldsSize(hop.headers);
  for (const text of [...vary, ...tags]) size += text.length;
  return size;
}

/** Bytes of a field: two strings and two slots of an object. */
const FIELD = 48;

function fieldsSize(fields: Fields): number {
  let size = 0;
  for (const name in fields) size += name.length + String(fields[name]).length + FIELD;
  return size;
}

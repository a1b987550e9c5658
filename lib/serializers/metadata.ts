import type {
  Hop,
  RedirectRecord,
  RequestRecord,
  ResponseRecord,
  StoredRecord,
  VariantsRecord,
} from '../models/record.js';
import { NO_BYTES } from '../platform/bytes.js';
import { type Fields, type FieldValue, newFields } from '../policy/messages.js';

// A record's metadata: everything but the body and the fields of the entry's head.

/** Field lists as pairs, so that no serializer sees a field name such as `__proto__` as the name of a property. */
type FieldPairs = readonly (readonly [name: string, value: FieldValue])[];

/** The value that a serializer writes. */
export type Metadata = Readonly<Record<string, unknown>>;

/** The fields of an entry's head that a record contains too. */
export type HeadFields = Pick<StoredRecord, 'receivedAt' | 'staleAt' | 'indexes' | 'order'>;

/** A record read from metadata, without its body, and the length in bytes that the body must have. */
export interface ParsedRecord {
  readonly record: StoredRecord;
  readonly size: number;
}

/** Returns the metadata of a record. */
export function metadataOf(record: StoredRecord): Metadata {
  switch (record.kind) {
    case 'response':
      return responseMetadata(record);
    case 'variants':
      return { key: record.key, vary: record.vary };
    case 'redirect':
      return { key: record.key, target: record.target, stamp: record.stamp, url: record.url };
  }
}

function responseMetadata(record: ResponseRecord): Metadata {
  const { headers, request, history } = record;
  return {
    key: record.key,
    stamp: record.stamp,
    status: record.status,
    statusText: record.statusText,
    headers: pairsOf(headers),
    url: record.url,
    request: { ...request, headers: pairsOf(request.headers) },
    history: history.map((hop) => ({ ...hop, headers: pairsOf(hop.headers) })),
    initialAge: record.initialAge,
    vary: record.vary,
    variant: record.variant,
    tags: record.tags,
    bodyForm: record.bodyForm,
    size: record.body.byteLength,
    ...(record.revision === undefined ? {} : { revision: record.revision }),
    ...(record.aliases === undefined ? {} : { aliases: record.aliases }),
  };
}

/** Returns the record that metadata describes; undefined if the metadata is not that of a record of this kind. */
export function parseMetadata(kind: StoredRecord['kind'], value: unknown, head: HeadFields): ParsedRecord | undefined {
  if (!isObject(value) || typeof value.key !== 'string') return undefined;
  const { receivedAt, staleAt, indexes, order } = head;
  const base: RecordBase = { key: value.key, receivedAt, staleAt, indexes, order };
  switch (kind) {
    case 'response':
      return parseResponse(value, base);
    case 'variants':
      return isTexts(value.vary)
        ? withoutBody({ kind, ...base, vary: value.vary } satisfies VariantsRecord)
        : undefined;
    case 'redirect': {
      const { target, stamp, url } = value;
      if (typeof target !== 'string' || typeof stamp !== 'string' || typeof url !== 'string') return undefined;
      return withoutBody({ kind, ...base, target, stamp, url } satisfies RedirectRecord);
    }
  }
}

type RecordBase = HeadFields & Pick<StoredRecord, 'key'>;

function withoutBody(record: StoredRecord): ParsedRecord {
  return { record, size: 0 };
}

function parseResponse(value: Metadata, base: RecordBase): ParsedRecord | undefined {
  const { stamp, status, statusText, url, initialAge, vary, variant, tags, bodyForm, size, revision, aliases } = value;
  const headers = fieldsOf(value.headers);
  const request = requestOf(value.request);
  const history = Array.isArray(value.history) ? Object.freeze(value.history.map(hopOf)) : undefined;
  if (!headers || !request || !history?.every((hop) => hop !== undefined)) return undefined;
  if (typeof stamp !== 'string' || typeof statusText !== 'string' || typeof url !== 'string') return undefined;
  if (typeof variant !== 'string' || !isTexts(vary) || !isTexts(tags) || !isBodyForm(bodyForm)) return undefined;
  if (!isStatus(status) || !isCount(initialAge) || !isCount(size)) return undefined;
  if (revision !== undefined && typeof revision !== 'string') return undefined;
  if (aliases !== undefined && !isTexts(aliases)) return undefined;
  const record: ResponseRecord = {
    kind: 'response',
    ...base,
    stamp,
    status,
    statusText,
    headers,
    url,
    request,
    history,
    initialAge,
    vary,
    variant,
    tags,
    ...(revision === undefined ? {} : { revision }),
    ...(aliases === undefined ? {} : { aliases }),
    bodyForm,
    body: NO_BYTES,
  };
  return { record, size };
}

function requestOf(value: unknown): RequestRecord | undefined {
  if (!isObject(value) || typeof value.method !== 'string' || typeof value.url !== 'string') return undefined;
  const headers = fieldsOf(value.headers);
  if (!headers || (value.body !== undefined && typeof value.body !== 'string')) return undefined;
  const { method, url, body, isPartial } = value;
  return {
    method,
    url,
    headers,
    ...(body === undefined ? {} : { body }),
    ...(isPartial === undefined ? {} : { isPartial: true }),
  };
}

function hopOf(value: unknown): Hop | undefined {
  if (!isObject(value) || typeof value.url !== 'string' || !isStatus(value.status)) return undefined;
  const headers = fieldsOf(value.headers);
  return headers && Object.freeze({ url: value.url, status: value.status, headers: Object.freeze(headers) });
}

function pairsOf(fields: Fields): FieldPairs {
  return Object.entries(fields);
}

function fieldsOf(pairs: unknown): Fields | undefined {
  if (!Array.isArray(pairs)) return undefined;
  const fields = newFields();
  for (const pair of pairs as unknown[]) {
    if (!Array.isArray(pair) || typeof pair[0] !== 'string') return undefined;
    if (typeof pair[1] !== 'string' && !isTexts(pair[1])) return undefined;
    fields[pair[0]] = pair[1];
  }
  return fields;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

function isStatus(value: unknown): value is number {
  return Number.isInteger(value) && isCount(value) && value <= 999;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && Number.isFinite(value);
}

function isBodyForm(value: unknown): value is ResponseRecord['bodyForm'] {
  return value === 'bytes' || value === 'text' || value === 'json' || value === 'none';
}

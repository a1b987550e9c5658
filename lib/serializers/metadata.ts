import type {
  Hop,
  RedirectRecord,
  RequestRecord,
  ResponseRecord,
  StoredRecord,
  VariantsRecord,
} from '../models/record.js';
import { type Fields, type FieldValue, newFields } from '../policy/messages.js';

// A record's metadata: everything but the body and the instants, which have their own places in an entry.

/** Field lists as pairs: no serializer gets to see a name such as `__proto__` as the name of a property. */
type FieldPairs = readonly (readonly [name: string, value: FieldValue])[];

/** What goes through the serializer. */
export type Metadata = Readonly<Record<string, unknown>>;

export function metadataOf(record: StoredRecord): Metadata {
  switch (record.kind) {
    case 'response': {
      const { headers, request, history, ...rest } = withoutHead(record);
      return {
        ...rest,
        headers: pairsOf(headers),
        request: { ...request, headers: pairsOf(request.headers) },
        history: history.map((hop) => ({ ...hop, headers: pairsOf(hop.headers) })),
      };
    }
    case 'variants':
      return { key: record.key, vary: record.vary };
    case 'redirect':
      return { key: record.key, target: record.target, stamp: record.stamp, url: record.url };
  }
}

/** Everything of a response that the metadata contains. */
function withoutHead({
  kind: _,
  receivedAt: _receivedAt,
  staleAt: _staleAt,
  indexes: _indexes,
  order: _order,
  body: _body,
  ...rest
}: ResponseRecord) {
  return rest;
}

/** The parts of an entry that the metadata lacks. */
type Rest = Pick<ResponseRecord, 'receivedAt' | 'staleAt' | 'indexes' | 'order' | 'body'>;

/** The record of that kind; undefined where the metadata does not hold together. */
export function recordOf(kind: StoredRecord['kind'], metadata: unknown, rest: Rest): StoredRecord | undefined {
  if (!isObject(metadata) || typeof metadata.key !== 'string') return undefined;
  const { body, ...head } = rest;
  const base = { key: metadata.key, ...head };
  switch (kind) {
    case 'response':
      return responseOf(metadata, base, body);
    case 'variants':
      return isTexts(metadata.vary) ? ({ kind, ...base, vary: metadata.vary } satisfies VariantsRecord) : undefined;
    case 'redirect': {
      const { target, stamp, url } = metadata;
      if (typeof target !== 'string' || typeof stamp !== 'string' || typeof url !== 'string') return undefined;
      return { kind, ...base, target, stamp, url } satisfies RedirectRecord;
    }
  }
}

function responseOf(
  metadata: Metadata,
  base: Omit<Rest, 'body'> & { readonly key: string },
  body: Uint8Array,
): ResponseRecord | undefined {
  const { stamp, status, statusText, url, initialAge, vary, variant, tags, bodyForm } = metadata;
  const headers = fieldsOf(metadata.headers);
  const request = requestOf(metadata.request);
  const history = Array.isArray(metadata.history) ? Object.freeze(metadata.history.map(hopOf)) : undefined;
  if (typeof status !== 'number' || typeof statusText !== 'string' || typeof url !== 'string') return undefined;
  if (typeof stamp !== 'string' || !isTexts(tags)) return undefined;
  if (typeof initialAge !== 'number' || !isTexts(vary) || typeof variant !== 'string' || !isBodyForm(bodyForm))
    return undefined;
  if (!headers || !request || !history?.every((hop) => hop !== undefined)) return undefined;
  return {
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
    bodyForm,
    body,
  };
}

function requestOf(value: unknown): RequestRecord | undefined {
  if (!isObject(value) || typeof value.method !== 'string' || typeof value.url !== 'string') return undefined;
  const headers = fieldsOf(value.headers);
  if (!headers || (value.body !== undefined && typeof value.body !== 'string')) return undefined;
  const { method, url, body } = value;
  return body === undefined ? { method, url, headers } : { method, url, headers, body };
}

function hopOf(value: unknown): Hop | undefined {
  if (!isObject(value) || typeof value.url !== 'string' || typeof value.status !== 'number') return undefined;
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

function isBodyForm(value: unknown): value is ResponseRecord['bodyForm'] {
  return value === 'bytes' || value === 'text' || value === 'json' || value === 'none';
}

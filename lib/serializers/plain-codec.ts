import { LRUCache } from 'lru-cache';
import type { Entry, EntrySummary } from '../models/entry.js';
import type { StoredRecord } from '../models/record.js';
import { chain, isPromise, type MaybePromise } from '../platform/maybe-promise.js';
import type { Decoded, EntryCodec } from './codec.js';
import { metadataOf, recordOf } from './metadata.js';
import type { Naming } from './naming.js';
import type { Serializer } from './serializer.js';

const EMPTY = new Uint8Array(0);
/** Ends the serializer's name, which stands before what it wrote. */
const LINE_BREAK = 0x0a;
/** Metadata that is remembered as it was read, by entries and bytes: that of what is asked for again and again. */
const REMEMBERED = 500;
const REMEMBERED_BYTES = 2_000_000;

/** Writes entries in the clear, with the given serializer. */
export class PlainCodec implements EntryCodec {
  readonly encrypts = false;
  readonly #serializer: Serializer;
  readonly #naming: Naming;
  /** What was decoded of an entry that a store holds as an object. */
  readonly #decoded = new WeakMap<EntrySummary, Decoded>();
  /** What was read of an entry's metadata, by its id. */
  readonly #remembered = new LRUCache<string, { readonly meta: Buffer; readonly record: StoredRecord }>({
    max: REMEMBERED,
    maxSize: REMEMBERED_BYTES,
    sizeCalculation: ({ meta }) => meta.byteLength,
  });

  constructor(serializer: Serializer, naming: Naming) {
    this.#serializer = serializer;
    this.#naming = naming;
  }

  names(key: string): readonly [string, ...string[]] {
    return this.#naming.names(key);
  }

  variantName(name: string, variant: string): string {
    return `${name}.${variant}`;
  }

  indexDigests(name: string): readonly [string, ...string[]] {
    return this.#naming.indexDigests(name);
  }

  encode(record: StoredRecord): MaybePromise<Entry> {
    const raw = record.kind === 'response' ? record.body : EMPTY;
    return chain(this.#serializer.body?.dumps(raw) ?? raw, (body) => this.#encode(record, body));
  }

  #encode(record: StoredRecord, body: Uint8Array): MaybePromise<Entry> {
    return chain(this.#serializer.dumps(metadataOf(record)), (data) => {
      const meta = withName(this.#serializer.name, data);
      const [name] = this.names(record.key);
      const entry: Entry = {
        id: record.kind === 'response' && record.variant ? this.variantName(name, record.variant) : name,
        kind: record.kind,
        group: record.kind === 'redirect' ? this.names(record.target)[0] : name,
        receivedAt: Math.floor(record.receivedAt),
        staleAt: record.staleAt,
        indexes: record.indexes,
        order: record.order,
        protection: '',
        size: meta.byteLength + body.byteLength,
        signature: '',
        meta,
        body,
      };
      this.#decoded.set(entry, { record });
      return entry;
    });
  }

  decode(entry: Entry, asked?: string): MaybePromise<Decoded> {
    const known = this.#decoded.get(entry);
    if (known) return this.#checked(known, entry, asked);
    return chain(this.#readWhole(entry), (decoded) => {
      this.#decoded.set(entry, decoded);
      return this.#checked(decoded, entry, asked);
    });
  }

  decodeSummary(summary: EntrySummary, asked?: string): MaybePromise<Decoded> {
    return chain(this.#read(summary, EMPTY), (decoded) => this.#checked(decoded, summary, asked));
  }

  #readWhole(entry: Entry): MaybePromise<Decoded> {
    const { body } = this.#serializer;
    // Another serializer's entry is told by its name, before its body is touched.
    if (!body || entry.kind !== 'response' || entry.protection !== '') return this.#readAgain(entry, entry.body);
    return chain(this.#readAgain(entry, EMPTY), async (decoded) => {
      if ('invalid' in decoded || decoded.record.kind !== 'response') return decoded;
      try {
        return { record: { ...decoded.record, body: await body.loads(entry.body) } };
      } catch (error) {
        return unreadable(error);
      }
    });
  }

  /** As {@link PlainCodec.#read}, but for metadata that was read before and is the same. */
  #readAgain(entry: Entry, body: Uint8Array): MaybePromise<Decoded> {
    const { id, kind, protection, meta, receivedAt, staleAt, indexes, order } = entry;
    const known = this.#remembered.get(id);
    if (protection === '' && known?.record.kind === kind && known.meta.equals(meta)) {
      return { record: withBody({ ...known.record, receivedAt, staleAt, indexes, order }, body) };
    }
    return chain(this.#read(entry, body), (decoded) => {
      // Copies, since a part of a row keeps all of it in memory.
      if ('record' in decoded)
        this.#remembered.set(id, { meta: Buffer.from(meta), record: withBody(decoded.record, EMPTY) });
      return decoded;
    });
  }

  #read(summary: EntrySummary, body: Uint8Array): MaybePromise<Decoded> {
    const { kind, meta, receivedAt, staleAt, indexes, order } = summary;
    if (kind === 'unknown') return { invalid: 'unreadable' };
    if (summary.protection !== '') return { invalid: 'key-missing' };
    const nameEnd = meta.indexOf(LINE_BREAK);
    const name = Buffer.from(meta.subarray(0, Math.max(0, nameEnd))).toString();
    if (nameEnd === -1 || name !== this.#serializer.name) return { invalid: 'wrong-serializer' };
    try {
      const loaded = this.#serializer.loads(meta.subarray(nameEnd + 1));
      const read = (metadata: unknown): Decoded => {
        const record = recordOf(kind, metadata, { receivedAt, staleAt, indexes, order, body });
        return record ? { record } : { invalid: 'unreadable' };
      };
      return isPromise(loaded) ? loaded.then(read).catch(unreadable) : read(loaded);
    } catch (error) {
      return unreadable(error);
    }
  }

  /** A record under the name of another is somebody else's. */
  #checked(decoded: Decoded, { id }: EntrySummary, asked: string | undefined): Decoded {
    if ('invalid' in decoded) return decoded;
    const { record } = decoded;
    if (asked !== undefined && record.key !== asked) return { invalid: 'wrong-item' };
    const variant = record.kind === 'response' ? record.variant : '';
    const own = this.names(record.key).some((name) => id === (variant ? this.variantName(name, variant) : name));
    return own ? decoded : { invalid: 'wrong-item' };
  }
}

function withBody<T extends StoredRecord>(record: T, body: Uint8Array): T {
  return record.kind === 'response' ? { ...record, body } : record;
}

function unreadable(error: unknown): Decoded {
  return { invalid: 'unreadable', error };
}

function withName(name: string, data: string | Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${name}\n`), typeof data === 'string' ? Buffer.from(data) : data]);
}

import { LRUCache } from 'lru-cache';
import { type Entry, type EntryHead, type EntrySummary, storedInstant } from '../models/entry.js';
import type { StoredRecord } from '../models/record.js';
import { NO_BYTES } from '../platform/bytes.js';
import { chain, type MaybePromise, recover } from '../platform/maybe-promise.js';
import type { Decoded, EntryCodec, InvalidEntry } from './codec.js';
import { compactEntry } from './compact-record.js';
import { metadataOf, type ParsedRecord, parseMetadata } from './metadata.js';
import { type Naming, nameOfRecord } from './naming.js';
import { RecordEntry } from './record-entry.js';
import { SerializedForm } from './serialized-form.js';
import type { Serializer } from './serializer.js';

const WRONG_ITEM: InvalidEntry = { invalid: 'wrong-item' };
/** Parsed metadata that is remembered: entries, and bytes of the metadata. */
const REMEMBERED = 4_000;
const REMEMBERED_BYTES = 4_000_000;

/** An entry as this codec wrote it: decrypted, and without regard to its `protection`. */
export interface PlainEntry {
  readonly head: EntryHead;
  readonly meta: Uint8Array;
  /** Undefined in listings. */
  readonly body: Uint8Array | undefined;
}

/** Writes entries without protection. */
export class PlainCodec implements EntryCodec {
  readonly encrypts = false;
  readonly #form: SerializedForm;
  readonly #naming: Naming;
  readonly #keepsObjects: boolean;
  /** Parsed metadata by the entry's id, for responses that are read again and again. */
  readonly #remembered = new LRUCache<string, { readonly meta: Buffer; readonly parsed: ParsedRecord }>({
    max: REMEMBERED,
    maxSize: REMEMBERED_BYTES,
    sizeCalculation: ({ meta }) => meta.byteLength,
  });

  /** @param keepsObjects whether the store keeps entries as objects: they are then serialized on demand, if possible */
  constructor(serializer: Serializer, naming: Naming, keepsObjects = false) {
    this.#form = new SerializedForm(serializer);
    this.#naming = naming;
    this.#keepsObjects = keepsObjects;
  }

  get packsBodies(): boolean {
    return this.#form.packsBodies;
  }

  names(key: string): readonly [string, ...string[]] {
    return this.#naming.names(key);
  }

  indexDigests(name: string): readonly [string, ...string[]] {
    return this.#naming.indexDigests(name);
  }

  encode(record: StoredRecord): MaybePromise<Entry> {
    const [name] = this.names(record.key);
    const id = nameOfRecord(name, record);
    const group = record.kind === 'redirect' ? this.names(record.target)[0] : name;
    if (!this.#keepsObjects) return this.#serialized(id, group, record);
    if (this.#form.isImmediate) return new RecordEntry(id, group, record, this.#form);
    return chain(this.#serialized(id, group, record), compactEntry);
  }

  #serialized(id: string, group: string, record: StoredRecord): MaybePromise<Entry> {
    return chain(record.kind === 'response' ? this.#form.writeBody(record.body) : NO_BYTES, (body) =>
      chain(this.#form.writeMetadata(metadataOf(record)), (meta) => ({
        id,
        kind: record.kind,
        group,
        // Signatures cover the values that the store returns.
        receivedAt: storedInstant(record.receivedAt),
        staleAt: storedInstant(record.staleAt),
        indexes: record.indexes,
        order: record.order,
        protection: '',
        size: meta.byteLength + body.byteLength,
        signature: '',
        meta,
        body,
      })),
    );
  }

  decode(entry: Entry, asked?: string): MaybePromise<Decoded> {
    if (entry instanceof RecordEntry) return this.#wrongItem(entry.record, entry, asked) ?? entry;
    if (entry.protection !== '') return { invalid: 'key-missing' };
    return this.decodePlain({ head: entry, meta: entry.meta, body: entry.body }, asked);
  }

  decodeSummary(summary: EntrySummary, asked?: string): MaybePromise<Decoded> {
    if (summary instanceof RecordEntry) return this.#wrongItem(summary.record, summary, asked) ?? summary.withoutBody();
    if (summary.protection !== '') return { invalid: 'key-missing' };
    return this.decodePlain({ head: summary, meta: summary.meta, body: undefined }, asked);
  }

  /** Decodes the output of {@link PlainCodec.encode}, after its protection was removed. */
  decodePlain(entry: PlainEntry, asked: string | undefined): MaybePromise<Decoded> {
    return recover(
      () => chain(this.#parse(entry), (parsed) => this.#complete(parsed, entry, asked)),
      (error) => this.#unreadable(error),
    );
  }

  #complete(parsed: ParsedRecord | InvalidEntry, entry: PlainEntry, asked: string | undefined): MaybePromise<Decoded> {
    if ('invalid' in parsed) return parsed;
    const { record, size } = parsed;
    const { head, body } = entry;
    const wrong = this.#wrongItem(record, head, asked);
    if (wrong) return wrong;
    const { receivedAt, staleAt, indexes, order } = head;
    if (body === undefined || record.kind !== 'response')
      return { record: { ...record, receivedAt, staleAt, indexes, order } };
    return chain(this.#form.readBody(body, size), (raw) => ({
      record: { ...record, receivedAt, staleAt, indexes, order, body: raw },
    }));
  }

  /** The record without its body; metadata that was read before and is the same is not parsed again. */
  #parse({ head, meta }: PlainEntry): MaybePromise<ParsedRecord | InvalidEntry> {
    const { id, kind } = head;
    if (kind === 'unknown') return { invalid: 'unreadable' };
    const known = this.#remembered.get(id);
    if (known?.parsed.record.kind === kind && known.meta.equals(meta)) return known.parsed;
    if (!this.#form.isOwn(meta)) return { invalid: 'wrong-serializer' };
    return chain(this.#form.readMetadata(meta), (value) => {
      const parsed = parseMetadata(kind, value, head);
      if (!parsed) return this.#unreadable(new TypeError('the metadata is not that of a stored response'));
      // A copy, since a view of a stored value would keep all of it in memory.
      this.#remembered.set(id, { meta: Buffer.from(meta), parsed });
      return parsed;
    });
  }

  /** Refuses a record that is stored under the storage key of another. */
  #wrongItem(record: StoredRecord, { id }: EntryHead, asked: string | undefined): InvalidEntry | undefined {
    if (asked !== undefined && record.key !== asked) return WRONG_ITEM;
    return this.names(record.key).some((name) => id === nameOfRecord(name, record)) ? undefined : WRONG_ITEM;
  }

  #unreadable(error: unknown): InvalidEntry {
    return { invalid: 'unreadable', error: this.#form.readError(error) };
  }
}

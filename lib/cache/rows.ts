import type { EntrySummary } from '../models/entry.js';
import type { CacheEvent } from '../models/events.js';
import type { ResponseRecord, StoredRecord } from '../models/record.js';
import type { EntryCodec, InvalidReason } from '../serializers/codec.js';
import type { CircuitBreaker } from '../stores/circuit-breaker.js';
import { countListed, countOf } from '../stores/entry-query.js';
import type { EntryQuery } from '../stores/store.js';

/** A row that cannot be read, as `filter({ invalid: true })` tells of it. */
export interface InvalidResponse {
  /** Its name in the store. */
  readonly id: string;
  readonly invalid: InvalidReason;
  /** Bytes. */
  readonly size: number;
}

/** Rows that are dropped with one call to the store. */
const BATCH = 500;
/** Rows that are read, or written, at once, and their bytes. */
const READ_AHEAD = 32;
const READ_AHEAD_SIZE = 4_000_000;

/** A row with what was read of it. */
export interface Row<T extends StoredRecord = StoredRecord> {
  readonly id: string;
  readonly group: string;
  /** Bytes. */
  readonly size: number;
  readonly record: T;
}

/**
 * The rows of a store as management sees them: with its own time, and errors that reject. Everything is read in bounded
 * memory.
 */
export class Rows {
  readonly #guard: CircuitBreaker;
  readonly #codec: EntryCodec;
  readonly #tell: (event: CacheEvent) => void;

  constructor(guard: CircuitBreaker, codec: EntryCodec, tell: (event: CacheEvent) => void) {
    this.#guard = guard;
    this.#codec = codec;
    this.#tell = tell;
  }

  names(key: string): readonly string[] {
    return this.#codec.names(key);
  }

  /** Returns the current digests of names in the secondary index. */
  indexes(names: readonly string[]): readonly string[] {
    return names.map((name) => this.#codec.indexDigests(name)[0]);
  }

  /** The record under a key's own name. */
  async find(key: string): Promise<StoredRecord | undefined> {
    for (const name of this.#codec.names(key)) {
      const record = await this.#read(name, key);
      if (record) return record;
    }
    return undefined;
  }

  /** The newest response of a key, through a redirect too. */
  async newest(key: string): Promise<ResponseRecord | undefined> {
    const record = await this.find(key);
    if (record?.kind === 'response') return record;
    if (record?.kind === 'redirect') return this.newest(record.target);
    const newest = await this.#newestVariant(key);
    const whole = newest && (await this.#read(newest.id, key));
    return whole?.kind === 'response' ? whole : undefined;
  }

  async #newestVariant(key: string): Promise<Row<ResponseRecord> | undefined> {
    let newest: Row<ResponseRecord> | undefined;
    for (const name of this.#codec.names(key)) {
      for await (const row of this.responses({ group: name })) {
        if (!newest || row.record.receivedAt > newest.record.receivedAt) newest = row;
      }
    }
    return newest;
  }

  /** Responses without their bodies; those that can't be read are left out. */
  async *responses(query: EntryQuery = {}): AsyncGenerator<Row<ResponseRecord>> {
    for await (const row of this.summaries({ ...query, kind: 'response' })) {
      if ('record' in row && row.record.kind === 'response') yield row as Row<ResponseRecord>;
    }
  }

  /** Rows of any kind without bodies, readable or not. */
  async *summaries(query: EntryQuery = {}): AsyncGenerator<Row | InvalidResponse> {
    for await (const entry of this.#entries(query)) yield await this.#decoded(entry);
  }

  /** Whole responses. */
  async *whole(query: EntryQuery = {}): AsyncGenerator<ResponseRecord> {
    for await (const batch of this.wholeBatches(query)) yield* batch;
  }

  /** Whole responses, several of which are read at once: a server answers them in one round trip. */
  async *wholeBatches(query: EntryQuery = {}): AsyncGenerator<readonly ResponseRecord[]> {
    for await (const batch of readAhead(this.responses(query))) {
      const records = await Promise.all(batch.map(({ id, record }) => this.#read(id, record.key)));
      yield records.filter((record) => record?.kind === 'response');
    }
  }

  /** Stores everything again with another expiry (milliseconds since the epoch). */
  async putExpiry(expires: number): Promise<void> {
    const putAll = (records: readonly StoredRecord[]) =>
      Promise.all(records.map((record) => this.put({ ...record, staleAt: expires })));
    for await (const batch of this.wholeBatches()) await putAll(batch);
    for (const kind of ['variants', 'redirect'] as const) {
      for await (const batch of readAhead(this.summaries({ kind }))) {
        await putAll(batch.flatMap((row) => ('record' in row ? [row.record] : [])));
      }
    }
  }

  async put(record: StoredRecord): Promise<void> {
    const entry = await this.#codec.encode(record);
    await this.#guard.manage((store) => store.put([entry]));
  }

  /** Rows with these names and all that belongs to them; resolves to the number of responses removed. */
  drop(ids: readonly string[]): Promise<number> {
    return ids.length === 0 ? Promise.resolve(0) : this.#guard.manage((store) => store.deleteGroups(ids));
  }

  /** Just these rows. */
  dropExact(ids: readonly string[]): Promise<number> {
    return ids.length === 0 ? Promise.resolve(0) : this.#guard.manage((store) => store.delete(ids));
  }

  /**
   * Drops the rows that fit, in batches; resolves to the number of responses removed. Where rows were dropped while it
   * listed, it lists again: iterators of some stores skip rows then.
   */
  async dropFitting<T extends { readonly id: string }>(
    list: () => AsyncIterable<T>,
    fits: (row: T) => boolean = () => true,
  ): Promise<number> {
    let removed = 0;
    for (;;) {
      const before = removed;
      let ids: string[] = [];
      let skips = false;
      for await (const row of list()) {
        if (!fits(row)) continue;
        ids.push(row.id);
        if (ids.length < BATCH) continue;
        removed += await this.dropExact(ids);
        ids = [];
        skips = true;
      }
      removed += await this.dropExact(ids);
      if (!skips || removed === before) return removed;
    }
  }

  count(query: EntryQuery = {}): Promise<number> {
    if (!this.#guard.store.count) return countListed(this.#entries(query), query);
    return this.#guard.manage((store) => countOf(store, query));
  }

  /** Drops what is expired; resolves to the number of responses removed. */
  async purge(now: number): Promise<number> {
    const steps = this.#guard.store.deleteExpired?.bind(this.#guard.store);
    if (!steps) {
      return this.dropFitting(
        () => this.#entries({ staleBy: now }),
        ({ kind }) => kind !== 'unknown',
      );
    }
    let removed = 0;
    for await (const number of this.#guard.iterate(() => steps(now))) removed += number;
    return removed;
  }

  async clear(): Promise<void> {
    for await (const _ of this.#guard.iterate((store) => store.clear()));
  }

  /** The groups that hold a URL's responses (normalised, redacted). */
  async groupsOfUrl(url: string): Promise<readonly string[]> {
    const groups = new Set<string>();
    for (const digest of this.#codec.indexDigests(`url ${url}`)) {
      for await (const { group } of this.#guard.iterate((store) => store.list({ index: digest }))) groups.add(group);
    }
    return [...groups];
  }

  #entries(query: EntryQuery): AsyncIterable<EntrySummary> {
    return this.#guard.iterate((store) => store.list(query));
  }

  async #read(id: string, key: string): Promise<StoredRecord | undefined> {
    const entry = await this.#guard.manage((store) => store.find(id));
    if (!entry) return undefined;
    const decoded = await this.#codec.decode(entry, key);
    if ('record' in decoded) return decoded.record;
    this.#tell({ type: 'invalid', key, reason: decoded.invalid });
    return undefined;
  }

  async #decoded(summary: EntrySummary): Promise<Row | InvalidResponse> {
    const decoded = await this.#codec.decodeSummary(summary);
    const { id, group, size } = summary;
    return 'record' in decoded ? { id, group, size, record: decoded.record } : { id, size, invalid: decoded.invalid };
  }
}

/** Rows in batches of bounded size. */
async function* readAhead<T extends { readonly size: number }>(rows: AsyncIterable<T>): AsyncGenerator<readonly T[]> {
  let [batch, bytes]: [T[], number] = [[], 0];
  for await (const row of rows) {
    batch.push(row);
    bytes += row.size;
    if (batch.length < READ_AHEAD && bytes < READ_AHEAD_SIZE) continue;
    yield batch;
    [batch, bytes] = [[], 0];
  }
  if (batch.length > 0) yield batch;
}

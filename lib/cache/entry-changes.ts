import { CacheError } from '../errors.js';
import type { Entry } from '../models/entry.js';
import type { ResponseRecord, StoredRecord } from '../models/record.js';
import type { MaybePromise } from '../platform/maybe-promise.js';
import { nameOfRecord } from '../serializers/naming.js';
import { MANAGEMENT } from '../stores/circuit-breaker.js';
import type { Store } from '../stores/store.js';
import { failureKind } from '../stores/store-failure.js';
import type { EntryRepository } from './entry-repository.js';
import { encodingInTime } from './serializer-time.js';
import { markerOf } from './variants.js';

/** Of several writers one succeeds at each attempt, so that each needs as many attempts as there are writers at most. */
const MAX_ATTEMPTS = 100;

/** A stored entry with its record. */
interface Found<T> {
  readonly entry: Entry;
  readonly record: T;
}

/** Changes stored entries in place, for management, without undoing the writes and deletions of others. */
export class EntryChanges {
  readonly #repository: EntryRepository;

  constructor(repository: EntryRepository) {
    this.#repository = repository;
  }

  /**
   * Replaces an entry by a changed one with the same key, variant and digests. If another writer replaces it meanwhile, it
   * is read and changed again.
   *
   * @param listed its record, as a listing returned it
   * @param change returns the changed record; undefined: it stays as it is
   * @returns whether it was changed; false also if it was deleted meanwhile
   * @throws CacheError `ERR_CACHE_CONFLICT` after 100 attempts, or the error of the store or of `change`
   */
  async change<T extends StoredRecord>(
    listed: T,
    change: (record: T) => MaybePromise<T | undefined>,
  ): Promise<boolean> {
    const { codec, breaker } = this.#repository;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const found = await this.#find(listed);
      if (found === 'absent') return false;
      if (found === 'moved') continue;
      const changed = await change(found.record);
      if (changed === undefined) return false;
      const replacement = await encodingInTime(Promise.resolve(codec.encode(changed)), MANAGEMENT, breaker);
      if (!(await breaker.manage((store) => store.replace(found.entry, replacement)))) continue;
      if (changed.kind === 'response') {
        await this.#renewMarker(changed, found.record.staleAt);
        await this.#renewRedirects(changed, found.record.staleAt);
      }
      return true;
    }
    throw new CacheError(
      'ERR_CACHE_CONFLICT',
      `other writers replaced the response at each of ${MAX_ATTEMPTS} attempts`,
    );
  }

  /** Finds an entry under its present storage key. One under the key of an older encryption key is moved to it. */
  async #find<T extends StoredRecord>(listed: T): Promise<Found<T> | 'absent' | 'moved'> {
    const { codec } = this.#repository;
    const [name, ...older] = codec.names(listed.key);
    const found = await this.#read(name, listed);
    if (found) return found;
    for (const old of older) {
      const other = await this.#read(old, listed);
      if (other === undefined || other === 'absent') continue;
      // The deletion in the background may know its old key alone.
      if (other.record.kind === 'response' && this.#repository.isPending(other.record)) return 'absent';
      await this.#repository.put([other.record]);
      await this.#repository.deleteExact([other.entry.id]);
      return 'moved';
    }
    // A file that another process is replacing is absent for moments, but listed.
    for await (const { id } of this.#repository.breaker.iterate((store) => store.list({ group: name }))) {
      if (id === nameOfRecord(name, listed)) return 'moved';
    }
    return 'absent';
  }

  /** Returns `absent` if another entry, or an unreadable one, is in its place. */
  async #read<T extends StoredRecord>(name: string, listed: T): Promise<Found<T> | 'absent' | undefined> {
    const { breaker, codec } = this.#repository;
    const find = async (store: Store) => {
      try {
        return await store.find(nameOfRecord(name, listed));
      } catch (error) {
        if (failureKind(error) === 'entry') return 'absent';
        throw error;
      }
    };
    const entry = await breaker.manage(find);
    if (entry === undefined || entry === 'absent') return entry;
    const decoded = await codec.decode(entry, listed.key);
    if ('invalid' in decoded || decoded.record.kind !== listed.kind) return 'absent';
    return { entry, record: decoded.record as T };
  }

  async #renewRedirects(record: ResponseRecord, before: number): Promise<void> {
    if (record.staleAt === before) return;
    const { staleAt, receivedAt } = record;
    for (const redirect of await this.#repository.renewedRedirects(record, MANAGEMENT)) {
      await this.change(redirect, (current) =>
        current.stamp === record.stamp ? { ...current, staleAt, receivedAt } : undefined,
      );
    }
  }

  /** Without the marker, which becomes stale with the last variant, a variant could not be found. */
  async #renewMarker(record: ResponseRecord, before: number): Promise<void> {
    if (record.variant === '' || record.staleAt <= before) return;
    const { staleAt } = record;
    await this.change(markerOf(record), (marker) => (marker.staleAt < staleAt ? { ...marker, staleAt } : undefined));
  }
}

import { randomUUID } from 'node:crypto';
import type { Entry, EntrySummary } from '../../models/entry.js';
import { bufferOf } from '../../platform/bytes.js';
import { batches, mapConcurrently } from '../concurrency.js';
import { entryOf, fieldsOf, summaryOf } from '../document-form.js';
import { counts, fits, isDirect, withMembers } from '../entry-query.js';
import type { EntryQuery, Store } from '../store.js';
import { packSummary } from '../stored-form.js';
import { isTooLarge } from './failures.js';
import { DynamoDbInvalidationOrder, endOfLifetime } from './invalidation-order.js';
import { DynamoDbLeases } from './leases.js';
import { DynamoDbIndex } from './secondary-index.js';
import { DynamoDbTable, type DynamoDbTableOptions, type Item, READ_BATCH } from './table.js';
import { MAX_ENTRY } from './traits.js';

export interface DynamoDbStoreOptions extends DynamoDbTableOptions {
  /**
   * Name of the table, which is created on demand. Default: the cache's name.
   *
   * @example
   * new DynamoDbCache({ table: 'http-cache' });
   */
  readonly table?: string | undefined;
  /** Seconds that an entry is kept after it expired; the server then deletes it. Default: forever. */
  readonly retention?: number | undefined;
}

/** All of an entry but its body, and whether it was published. */
const SUMMARY = '#id, #value.#head, #value.#size, #next.#token';
/** An item that another write may not replace by a redirect. */
const NOT_DIRECT = 'NOT #value.#kind IN (:response, :variants)';
const NOT_DIRECT_PENDING = 'NOT #next.#kind IN (:response, :variants)';
/** A pending entry that an invalidation by a name selects. */
const IS_SELECTED =
  '#next.#order < :order AND (contains(#next.#indexes, :name) OR #next.#group = :name OR #id = :item)';
/** The pending write, in an item with and without a published entry. */
const SET_NEXT = 'SET #next = :next';
const SET_EXPIRING = 'SET #next = :next, #expiresAt = :expiresAt';

/**
 * Entries in DynamoDB, in a table and on the client of @keyv/dynamo, whose own operations expire everything after six hours
 * and lose what is beyond a batch. Items beside the entries are the secondary index.
 *
 * A write is pending, in the attribute `next`, until the store has looked for invalidations; it then replaces `value` at
 * once (docs/decisions/0021).
 */
export class DynamoDbStore implements Store {
  readonly name = 'dynamodb';
  readonly maxEntrySize = MAX_ENTRY;
  readonly #table: DynamoDbTable;
  readonly #prefix: string;
  readonly #entries: string;
  readonly #index: DynamoDbIndex;
  readonly #leases: DynamoDbLeases;
  readonly #order: DynamoDbInvalidationOrder;
  readonly #retention: number;
  readonly #now: () => number;

  constructor(cacheName: string, options: DynamoDbStoreOptions, now: () => number) {
    const { table = cacheName, retention } = options;
    this.#table = new DynamoDbTable(table, options);
    this.#prefix = `${cacheName}:`;
    this.#entries = `${this.#prefix}r:`;
    this.#index = new DynamoDbIndex(this.#table, `${this.#prefix}l:`, this.#entries);
    this.#leases = new DynamoDbLeases(this.#table, `${this.#prefix}s:`);
    this.#order = new DynamoDbInvalidationOrder(this.#table, `${this.#prefix}i:`);
    this.#retention = (retention ?? Number.POSITIVE_INFINITY) * 1000;
    this.#now = now;
  }

  get location(): string {
    return this.#table.location;
  }

  async find(id: string): Promise<Entry | undefined> {
    const item = await this.#table.getItem(this.#entries + id, '#id, #value, #next.#token');
    return item && isPublished(item) ? entryOf(id, item.value as object) : undefined;
  }

  async put(entries: readonly Entry[]): Promise<boolean> {
    const token = randomUUID();
    const pending = await Promise.all(entries.map((entry) => this.#write(entry, token)));
    // Before an entry is published: an id in the index without an entry does no harm.
    await Promise.all(entries.map((entry) => this.#index.add(entry, this.#expiresAt(entry))));
    const written = entries.filter((_, index) => pending[index]);
    if (await this.#order.isOutOfDate(entries)) {
      await Promise.all(written.map(({ id }) => this.#withdraw(id, '#next.#token = :token', { ':token': token })));
      return false;
    }
    const direct = written.filter(isDirect);
    const published = await Promise.all(direct.map((entry) => this.#publish(entry, token)));
    const redirects = written.filter((entry) => !isDirect(entry));
    await Promise.all(redirects.map((entry) => this.#publish(entry, token)));
    // A missing item was replaced by another writer, or deleted by an invalidation.
    return published.every(Boolean) || !(await this.#order.isOutOfDate(entries));
  }

  async replace(entry: Entry, replacement: Entry): Promise<boolean> {
    const expiresAt = this.#expiresAt(replacement);
    const value = { ...fieldsOf(replacement), order: replacement.order, body: bufferOf(replacement.body) };
    // The members of the index expire with the entry.
    await this.#index.add(replacement, expiresAt);
    const replaced = await this.#table.update(this.#entries + entry.id, {
      update:
        expiresAt === undefined
          ? 'SET #value = :value REMOVE #expiresAt'
          : 'SET #value = :value, #expiresAt = :expiresAt',
      condition: '#value.#head = :head',
      values: {
        ':value': value,
        ':head': packSummary(entry),
        ...(expiresAt === undefined ? {} : { ':expiresAt': expiresAt }),
      },
    });
    return replaced !== undefined;
  }

  async deleteGroups(ids: readonly string[]): Promise<number> {
    return this.delete(await withMembers(this, ids));
  }

  async delete(ids: readonly string[]): Promise<number> {
    let deleted = 0;
    for (const batch of batches(ids, READ_BATCH)) {
      const found = await this.#summaries(batch);
      await mapConcurrently(found, (entry) => this.#index.remove(entry));
      await this.#table.deleteItems(found.map(({ id }) => this.#entries + id));
      deleted += found.filter(counts).length;
    }
    return deleted;
  }

  async *list(query: EntryQuery = {}): AsyncGenerator<EntrySummary> {
    for await (const entry of this.#candidates(query)) if (fits(entry, query)) yield entry;
  }

  async *clear(): AsyncGenerator<unknown> {
    for await (const items of this.#table.scan(this.#prefix, '#id')) {
      const ids = items.map(({ id }) => String(id)).filter((id) => /^[rl]:/.test(id.slice(this.#prefix.length)));
      yield await this.#table.deleteItems(ids);
    }
  }

  acquireLease(name: string, holder: string, seconds: number): Promise<boolean> {
    return this.#leases.acquire(name, holder, seconds);
  }

  releaseLease(name: string, holder: string): Promise<void> {
    return this.#leases.release(name, holder);
  }

  currentOrder(): Promise<number> {
    return this.#order.current();
  }

  async invalidate(names: readonly string[]): Promise<void> {
    const order = await this.#order.record(names);
    const withdraw = (item: Item, condition: string, values: object) =>
      this.#withdraw(String(item.id).slice(this.#entries.length), condition, { ':order': order, ...values });
    const isPending = ({ next }: Item) => next !== undefined;
    if (names.length === 0) {
      for await (const items of this.#table.scan(this.#entries, SUMMARY)) {
        await mapConcurrently(items.filter(isPending), (item) => withdraw(item, '#next.#order < :order', {}));
      }
    }
    for (const name of names) {
      const items = await this.#items([name, ...(await this.#index.ids(name))]);
      await mapConcurrently(items.filter(isPending), (item) =>
        withdraw(item, IS_SELECTED, { ':name': name, ':item': this.#entries + name }),
      );
    }
  }

  async ready(): Promise<void> {
    await this.#table.getItem(`${this.#entries}ready`);
  }

  close(): Promise<void> {
    return this.#table.close();
  }

  /** Seconds since the epoch; undefined: forever. Only a duration is taken from the store's clock, which tests replace. */
  #expiresAt({ staleAt }: Entry): number | undefined {
    const kept = this.#retention + staleAt - this.#now();
    return Number.isFinite(kept) ? Math.ceil((Date.now() + kept) / 1000) : undefined;
  }

  /**
   * Writes an entry beside the published one; false for a redirect that would replace a direct response. If there is none,
   * the item expires until the entry is published: a process may end before that.
   */
  async #write(entry: Entry, token: string): Promise<boolean> {
    const item = this.#entries + entry.id;
    const next = { ...fieldsOf(entry), order: entry.order, token, body: bufferOf(entry.body) };
    const values = { ':next': next, ...(isDirect(entry) ? {} : KINDS) };
    const expiring = { ...values, ':expiresAt': endOfLifetime() };
    const isAllowed = isDirect(entry) ? [] : [NOT_DIRECT_PENDING];
    const condition = ['attribute_not_exists(#value)', ...isAllowed].join(' AND ');
    if (await this.#table.update(item, { update: SET_EXPIRING, condition, values: expiring })) return true;
    if (!isDirect(entry)) {
      const change = { update: SET_NEXT, condition: `${NOT_DIRECT} AND ${NOT_DIRECT_PENDING}`, values };
      return (await this.#table.update(item, change)) !== undefined;
    }
    try {
      await this.#table.update(item, { update: SET_NEXT, values });
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      // An item has no room for two large entries.
      await this.#table.update(item, { update: `${SET_EXPIRING} REMOVE #value`, values: expiring });
    }
    return true;
  }

  /** Makes a pending entry the published one; false if it was replaced or deleted meanwhile. */
  async #publish(entry: Entry, token: string): Promise<boolean> {
    const expiresAt = this.#expiresAt(entry);
    const published = await this.#table.update(this.#entries + entry.id, {
      update:
        expiresAt === undefined
          ? 'SET #value = #next REMOVE #next, #expiresAt'
          : 'SET #value = #next, #expiresAt = :expiresAt REMOVE #next',
      condition: isDirect(entry) ? '#next.#token = :token' : `#next.#token = :token AND ${NOT_DIRECT}`,
      values: {
        ':token': token,
        ...(expiresAt === undefined ? {} : { ':expiresAt': expiresAt }),
        ...(isDirect(entry) ? {} : KINDS),
      },
    });
    if (published) return true;
    await this.#withdraw(entry.id, '#next.#token = :token', { ':token': token });
    return false;
  }

  /** Removes a pending entry that meets a condition, and its item if nothing else was published. */
  async #withdraw(id: string, condition: string, values: Record<string, unknown>): Promise<void> {
    const item = this.#entries + id;
    if (await this.#table.delete(item, { condition: `attribute_not_exists(#value) AND ${condition}`, values })) return;
    await this.#table.update(item, { update: 'REMOVE #next', condition, values });
  }

  async *#candidates({ group, index }: EntryQuery): AsyncGenerator<EntrySummary> {
    if (group !== undefined) {
      yield* await this.#summaries([group]);
      yield* this.#indexed(group);
    } else if (index !== undefined) yield* this.#indexed(index);
    else {
      for await (const items of this.#table.scan(this.#entries, SUMMARY)) yield* this.#summariesOf(items);
    }
  }

  async *#indexed(from: string): AsyncGenerator<EntrySummary> {
    const dead: string[] = [];
    for (const batch of batches(await this.#index.ids(from), READ_BATCH)) {
      const items = await this.#items(batch);
      yield* this.#summariesOf(items);
      const found = new Set(items.map(({ id }) => id));
      dead.push(...batch.filter((id) => !found.has(this.#entries + id)));
    }
    await this.#index.forget(from, dead);
  }

  async #summaries(ids: readonly string[]): Promise<EntrySummary[]> {
    return this.#summariesOf(await this.#items(ids));
  }

  #items(ids: readonly string[]): Promise<Item[]> {
    const keys = ids.map((id) => this.#entries + id);
    return this.#table.getItems(keys, SUMMARY);
  }

  #summariesOf(items: readonly Item[]): EntrySummary[] {
    return items
      .filter(isPublished)
      .map(({ id, value }) => summaryOf(String(id).slice(this.#entries.length), value as object | undefined));
  }
}

const KINDS = { ':response': 'response', ':variants': 'variants' };

/** Returns whether readers may see an item; one of another origin has neither attribute. */
function isPublished({ value, next }: Item): boolean {
  return value !== undefined || next === undefined;
}

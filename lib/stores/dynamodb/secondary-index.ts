import { randomUUID } from 'node:crypto';
import type { EntryHead } from '../../models/entry.js';
import { mapConcurrently } from '../concurrency.js';
import { indexedUnder, LIST_PARTS, listPart } from '../secondary-index.js';
import { isTooLarge, isWrongType } from './failures.js';
import type { Change, DynamoDbTable } from './table.js';

/** Seconds that an index item outlives its entries: the server deletes expired items within days, in any order. */
const MARGIN = 7 * 24 * 60 * 60;

/**
 * The secondary index of a table: an item for each part of a group or digest, with the set of its ids. The server adds to
 * a set and deletes from it, so that no list is read, changed and written back.
 *
 * Ids whose entries the server deleted are forgotten when a listing finds them, or when the set is full. An entry is added
 * after its item was written, and each addition changes the token `added`: while it is unchanged, an id without an item is
 * not one of an entry that is being written.
 */
export class DynamoDbIndex {
  readonly #table: DynamoDbTable;
  readonly #prefix: string;
  readonly #entries: string;

  /** @param entries the prefix of the items of entries */
  constructor(table: DynamoDbTable, prefix: string, entries: string) {
    this.#table = table;
    this.#prefix = prefix;
    this.#entries = entries;
  }

  /** Returns the ids under a group or digest. */
  async ids(from: string): Promise<string[]> {
    const items = await this.#table.getItems(
      LIST_PARTS.map((part) => this.#item(from, part)),
      '#ids',
    );
    return items.flatMap(({ ids }) => idsIn(ids));
  }

  /**
   * Adds an entry whose item was written. Each index item lives longer than the longest-lived entry in it.
   *
   * @param expiresAt seconds since the epoch; undefined: forever
   */
  async add(entry: EntryHead, expiresAt: number | undefined): Promise<void> {
    await Promise.all(indexedUnder(entry).map((from) => this.#addWithRoom(from, entry.id, expiresAt)));
  }

  /** Removes an entry, and each item with its last id. */
  async remove(entry: EntryHead): Promise<void> {
    await Promise.all(
      indexedUnder(entry).map((from) => this.#remove(this.#item(from, listPart(entry.id)), [entry.id])),
    );
  }

  /** Forgets those of the ids that have no item. If this fails, a later listing does it. */
  async forget(from: string, ids: readonly string[]): Promise<void> {
    const parts = [...new Set(ids.map(listPart))];
    await mapConcurrently(parts, (part) =>
      this.#forget(
        this.#item(from, part),
        ids.filter((id) => listPart(id) === part),
      ),
    ).catch(() => {});
  }

  async #addWithRoom(from: string, id: string, expiresAt: number | undefined): Promise<void> {
    const item = this.#item(from, listPart(id));
    try {
      await this.#add(item, id, expiresAt);
    } catch (error) {
      if (isWrongType(error)) await this.#deleteUnlessOurs(item);
      else if (isTooLarge(error)) {
        const { ids } = (await this.#table.getItem(item, '#ids')) ?? {};
        await this.#forget(item, idsIn(ids));
      } else throw error;
      await this.#add(item, id, expiresAt);
    }
  }

  async #add(item: string, id: string, expiresAt: number | undefined): Promise<void> {
    const values = { ':ids': new Set([id]), ':added': randomUUID() };
    const update = 'ADD #ids :ids SET #added = :added';
    if (expiresAt === undefined) {
      await this.#table.update(item, { update: `${update} REMOVE #expiresAt`, values });
      return;
    }
    const extended = await this.#table.update(item, {
      update: `${update}, #expiresAt = :expiresAt`,
      condition: 'attribute_not_exists(#id) OR #expiresAt < :expiresAt',
      values: { ...values, ':expiresAt': expiresAt + MARGIN },
    });
    if (!extended) await this.#table.update(item, { update, values });
  }

  async #forget(item: string, ids: readonly string[]): Promise<void> {
    const { added } = (await this.#table.getItem(item, '#added')) ?? {};
    const present = await this.#table.getItems(
      ids.map((id) => this.#entries + id),
      '#id',
    );
    const found = new Set(present.map(({ id }) => id));
    const gone = ids.filter((id) => !found.has(this.#entries + id));
    if (gone.length > 0) await this.#remove(item, gone, { condition: '#added = :added', values: { ':added': added } });
  }

  async #remove(item: string, ids: readonly string[], unless: Unchanged = {}): Promise<void> {
    const values = { ...unless.values, ':ids': new Set(ids) };
    const { condition } = unless;
    try {
      const left = await this.#table.update(item, { update: 'DELETE #ids :ids', condition, values, returns: true });
      if (left && !left.ids) await this.#table.delete(item, { condition: 'attribute_not_exists(#ids)' });
    } catch (error) {
      if (!isWrongType(error)) throw error;
      await this.#deleteUnlessOurs(item);
    }
  }

  /** Deletes an item that another program wrote in the place of one of the index. */
  async #deleteUnlessOurs(item: string): Promise<void> {
    await this.#table.delete(item, { condition: 'NOT attribute_type(#ids, :type)', values: { ':type': 'SS' } });
  }

  #item(from: string, part: string): string {
    return `${this.#prefix}${from}:${part}`;
  }
}

/** The condition that nothing was added meanwhile. */
type Unchanged = Pick<Change, 'condition' | 'values'>;

/** The ids in an attribute. Tested by its tag: a set of another realm is no instance of `Set`. */
function idsIn(value: unknown): string[] {
  const members: unknown[] =
    Object.prototype.toString.call(value) === '[object Set]' ? [...(value as Set<unknown>)] : [];
  return members.filter((id) => typeof id === 'string');
}

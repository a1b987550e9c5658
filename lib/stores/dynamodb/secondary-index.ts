import type { EntryHead } from '../../models/entry.js';
import { indexedUnder, LIST_PARTS, listPart } from '../secondary-index.js';
import type { DynamoDbTable } from './table.js';

/**
 * The secondary index of a table: an item for each part of a group or digest, with the set of its ids. The server adds to
 * a set and deletes from it, so that no list is read, changed and written back.
 */
export class DynamoDbIndex {
  readonly #table: DynamoDbTable;
  readonly #prefix: string;

  constructor(table: DynamoDbTable, prefix: string) {
    this.#table = table;
    this.#prefix = prefix;
  }

  /** Returns the ids under a group or digest. */
  async ids(from: string): Promise<string[]> {
    const items = await this.#table.getItems(
      LIST_PARTS.map((part) => this.#item(from, part)),
      '#ids',
    );
    return items.flatMap(({ ids }) => (isSet(ids) ? [...ids] : []));
  }

  /**
   * Adds an entry. Each item lives as long as the longest-lived entry in it.
   *
   * @param expiresAt seconds since the epoch; undefined: forever
   */
  async add(entry: EntryHead, expiresAt: number | undefined): Promise<void> {
    await Promise.all(indexedUnder(entry).map((from) => this.#add(from, entry.id, expiresAt)));
  }

  /** Removes an entry, and each item with its last id. */
  async remove(entry: EntryHead): Promise<void> {
    await Promise.all(indexedUnder(entry).map((from) => this.#remove(from, entry.id)));
  }

  async #add(from: string, id: string, expiresAt: number | undefined): Promise<void> {
    const item = this.#item(from, listPart(id));
    const values = { ':ids': new Set([id]) };
    if (expiresAt === undefined) {
      await this.#table.update(item, { update: 'ADD #ids :ids REMOVE #expiresAt', values });
      return;
    }
    const extended = await this.#table.update(item, {
      update: 'ADD #ids :ids SET #expiresAt = :expiresAt',
      condition: 'attribute_not_exists(#id) OR #expiresAt < :expiresAt',
      values: { ...values, ':expiresAt': expiresAt },
    });
    if (!extended) await this.#table.update(item, { update: 'ADD #ids :ids', values });
  }

  async #remove(from: string, id: string): Promise<void> {
    const item = this.#item(from, listPart(id));
    const values = { ':ids': new Set([id]) };
    const left = await this.#table.update(item, { update: 'DELETE #ids :ids', values, returns: true });
    if (!left?.ids) await this.#table.delete(item, { condition: 'attribute_not_exists(#ids)' });
  }

  #item(from: string, part: string): string {
    return `${this.#prefix}${from}:${part}`;
  }
}

/** Tested by its tag: a set of another realm is no instance of `Set`. */
function isSet(value: unknown): value is Set<string> {
  return Object.prototype.toString.call(value) === '[object Set]';
}

import type { Entry } from '../../models/entry.js';
import { invalidatedBy } from '../entry-query.js';
import type { DynamoDbTable } from './table.js';

/** Seconds that an invalidation is remembered: at least an hour, even if the clock of its process is a day late. */
const LIFETIME = 26 * 60 * 60;

/** Returns when an item expires that is needed for a short time, in seconds since the epoch. */
export function endOfLifetime(): number {
  return Math.ceil(Date.now() / 1000 + LIFETIME);
}

/**
 * The order of invalidations: a counter, and for each invalidated digest, or for everything, the counter's value at its
 * last invalidation (docs/decisions/0021).
 */
export class DynamoDbInvalidationOrder {
  readonly #table: DynamoDbTable;
  readonly #prefix: string;

  constructor(table: DynamoDbTable, prefix: string) {
    this.#table = table;
    this.#prefix = prefix;
  }

  /** Returns the order of the last invalidation. */
  async current(): Promise<number> {
    const counter = await this.#table.getItem(`${this.#prefix}counter`);
    return Number(counter?.order ?? 0);
  }

  /** Records an invalidation of these digests, or of everything; returns its order. */
  async record(digests: readonly string[]): Promise<number> {
    const count = { update: 'ADD #order :one', values: { ':one': 1 }, returns: true };
    const counter = await this.#table.update(`${this.#prefix}counter`, count);
    const order = Number(counter?.order);
    const expiresAt = endOfLifetime();
    await Promise.all(
      (digests.length === 0 ? ['everything'] : digests).map((digest) =>
        this.#table.update(this.#prefix + digest, {
          update: 'SET #order = :order, #expiresAt = :expiresAt',
          // Of two concurrent invalidations the later one counts, whichever writes last.
          condition: 'attribute_not_exists(#order) OR #order < :order',
          values: { ':order': order, ':expiresAt': expiresAt },
        }),
      ),
    );
    return order;
  }

  /** Returns whether one of the entries was invalidated after its order. */
  async isOutOfDate(entries: readonly Entry[]): Promise<boolean> {
    const least = Math.min(...entries.map((entry) => entry.order));
    const names = new Set(['everything', ...entries.flatMap(invalidatedBy)]);
    const stamps = await this.#table.getItems(
      [...names].map((name) => this.#prefix + name),
      '#order',
    );
    return stamps.some(({ order }) => Number(order) > least);
  }
}

import type { Entry } from '../../models/entry.js';
import { invalidatedBy } from '../entry-query.js';
import { firstOrder, GREATEST_ORDER, LEAST_ORDER } from '../first-order.js';
import type { DynamoDbTable } from './table.js';

/** Seconds that an invalidation is remembered: at least an hour, even if the clock of its process is a day late. */
const LIFETIME = 26 * 60 * 60;

/** A counter of this store. */
const IS_ORDER = '#order BETWEEN :least AND :greatest';
const BOUNDS = { ':least': LEAST_ORDER, ':greatest': GREATEST_ORDER };

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

  /** Returns the order of the last invalidation; 0 if there is no counter, and this user cannot begin one. */
  async current(): Promise<number> {
    const found = await this.#found();
    if (found !== undefined) return found;
    const isBegun = await this.#begin().then(
      () => true,
      () => false,
    );
    return (isBegun ? await this.#found() : undefined) ?? 0;
  }

  /** Records an invalidation of these digests, or of everything; returns its order. */
  async record(digests: readonly string[]): Promise<number> {
    const order = (await this.#increment()) ?? (await this.#begin().then(() => this.#increment()));
    if (order === undefined) throw new Error('the counter of invalidations was changed by another program');
    const expiresAt = endOfLifetime();
    await Promise.all(
      (digests.length === 0 ? ['everything'] : digests).map((digest) =>
        this.#table.update(this.#prefix + digest, {
          update: 'SET #order = :order, #expiresAt = :expiresAt',
          // Of two concurrent invalidations the later one counts, whichever writes last.
          condition: 'NOT #order BETWEEN :order AND :greatest',
          values: { ':order': order, ':greatest': GREATEST_ORDER, ':expiresAt': expiresAt },
        }),
      ),
    );
    return order;
  }

  async #found(): Promise<number | undefined> {
    const order = (await this.#table.getItem(this.#counter))?.order;
    return isOrder(order) ? order : undefined;
  }

  async #increment(): Promise<number | undefined> {
    const values = { ':one': 1, ...BOUNDS };
    const change = { update: 'SET #order = #order + :one', condition: IS_ORDER, values, returns: true };
    const counter = await this.#table.update(this.#counter, change);
    return counter && Number(counter.order);
  }

  /** Begins a counter in the place of one that is missing, or of something else. */
  async #begin(): Promise<void> {
    const values = { ':first': firstOrder(), ...BOUNDS };
    await this.#table.update(this.#counter, { update: 'SET #order = :first', condition: `NOT ${IS_ORDER}`, values });
  }

  get #counter(): string {
    return `${this.#prefix}counter`;
  }

  /** Returns whether one of the entries was invalidated after its order. */
  async isOutOfDate(entries: readonly Entry[]): Promise<boolean> {
    const least = Math.min(...entries.map((entry) => entry.order));
    const names = new Set(['everything', ...entries.flatMap(invalidatedBy)]);
    const stamps = await this.#table.getItems(
      [...names].map((name) => this.#prefix + name),
      '#order',
    );
    return stamps.some(({ order }) => isOrder(order) && order > least);
  }
}

function isOrder(value: unknown): value is number {
  return typeof value === 'number' && value >= LEAST_ORDER && value <= GREATEST_ORDER;
}

import type { EntrySummary } from '../../models/entry.js';
import { LINK_PARTS, leadingTo, linkPart } from '../secondary-index.js';

/** Texts by key, as Keyv keeps them. */
export interface Texts {
  get(key: string): Promise<string | undefined>;
  /** @param until milliseconds since the epoch: it may go then; Infinity for never */
  set(key: string, text: string, until: number): Promise<void>;
  delete(key: string): Promise<unknown>;
}

/**
 * What leads from groups and URLs to entries in a store that knows keys alone: lists of ids, each with the instant when
 * its entry may go. A list is read and written back, so that of two processes that write one part at once, one may be lost.
 */
export class KeyvLinks {
  readonly #texts: Texts;
  readonly #prefix: string;
  readonly #now: () => number;
  /** Lists that are being written in this process. */
  readonly #writing = new Map<string, Promise<void>>();

  /** @param prefix of all keys of links, and of nothing else */
  constructor(texts: Texts, prefix: string, now: () => number) {
    this.#texts = texts;
    this.#prefix = prefix;
    this.#now = now;
  }

  /** @param until milliseconds since the epoch: when the entry may go */
  async add(entry: EntrySummary, until: number): Promise<void> {
    await Promise.all(
      leadingTo(entry).map((from) =>
        this.#change(from, entry.id, (ids) => {
          if (ids.get(entry.id) === until) return false;
          ids.set(entry.id, until);
          return true;
        }),
      ),
    );
  }

  async remove(entry: EntrySummary): Promise<void> {
    await Promise.all(leadingTo(entry).map((from) => this.#change(from, entry.id, (ids) => ids.delete(entry.id))));
  }

  /** The ids that a group, or a digest, leads to; entries may be gone. */
  async idsOf(from: string): Promise<string[]> {
    const parts = await Promise.all(LINK_PARTS.map((part) => this.#texts.get(this.#keyOf(from, part))));
    return parts.flatMap((text) => [...read(text).keys()]);
  }

  #keyOf(from: string, part: string): string {
    return `${this.#prefix}${from}:${part}`;
  }

  /** One change after the other. */
  async #change(from: string, id: string, change: (ids: Map<string, number>) => boolean): Promise<void> {
    const key = this.#keyOf(from, linkPart(id));
    const before = this.#writing.get(key) ?? Promise.resolve();
    const writing = before.catch(() => {}).then(() => this.#rewrite(key, change));
    this.#writing.set(key, writing);
    try {
      await writing;
    } finally {
      if (this.#writing.get(key) === writing) this.#writing.delete(key);
    }
  }

  async #rewrite(key: string, change: (ids: Map<string, number>) => boolean): Promise<void> {
    const ids = read(await this.#texts.get(key));
    if (!change(ids)) return;
    const left = [...ids].filter(([, until]) => until > this.#now());
    if (left.length === 0) await this.#texts.delete(key);
    else await this.#texts.set(key, write(left), Math.max(...left.map(([, until]) => until)));
  }
}

function write(ids: readonly (readonly [id: string, until: number])[]): string {
  return ids.map(([id, until]) => `${id}=${until}`).join(' ');
}

/** Nothing where it can't be read. */
function read(text: string | undefined): Map<string, number> {
  const pairs = (text ?? '').split(' ').map((pair) => pair.split('='));
  const known = pairs.filter(([id, until]) => id !== '' && until !== undefined && !Number.isNaN(Number(until)));
  return new Map(known.map(([id, until]) => [String(id), Number(until)]));
}

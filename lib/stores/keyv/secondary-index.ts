import type { EntryHead } from '../../models/entry.js';
import { indexedUnder, LIST_PARTS, listPart } from '../secondary-index.js';
import { Turns } from '../turns.js';
import type { Found, KeyvTexts } from './texts.js';

/** Ids of a list, each with the instant (milliseconds since the epoch) from which its entry may be gone. */
type Ids = Map<string, number>;

/**
 * The secondary index in a store that knows keys alone: for each group and digest lists of ids. A list is read and written
 * back, so that of two processes that change the same one at once, one change may be lost.
 */
export class KeyvIndex {
  readonly #texts: KeyvTexts;
  readonly #now: () => number;
  /** The changes of each list in this process. */
  readonly #turns = new Turns();

  constructor(texts: KeyvTexts, now: () => number) {
    this.#texts = texts;
    this.#now = now;
  }

  /** Adds an entry to its lists. @param until milliseconds since the epoch: when the entry may be gone. @throws StoreFailure */
  async add(entry: EntryHead, until: number): Promise<void> {
    await this.#changeAll(indexedUnder(entry), entry.id, (ids) => {
      if (ids.get(entry.id) === until) return false;
      ids.set(entry.id, until);
      return true;
    });
  }

  /** Removes an entry from its lists, except from those of an entry that replaces it. @throws StoreFailure */
  async remove(entry: EntryHead, kept?: EntryHead): Promise<void> {
    const keptNames = new Set(kept && indexedUnder(kept));
    const names = indexedUnder(entry).filter((name) => !keptNames.has(name));
    await this.#changeAll(names, entry.id, (ids) => ids.delete(entry.id));
  }

  /** Returns the ids under a group or digest; their entries may be gone. */
  async idsOf(name: string): Promise<string[]> {
    const lists = await this.#texts.getMany(LIST_PARTS.map((part) => keyOf(name, part)));
    return lists.flatMap((list) => [...parse(list).keys()]);
  }

  async #changeAll(names: readonly string[], id: string, change: (ids: Ids) => boolean): Promise<void> {
    const keys = names.map((name) => keyOf(name, listPart(id)));
    await Promise.all(keys.map((key) => this.#turns.take(key, () => this.#rewrite(key, change))));
  }

  async #rewrite(key: string, change: (ids: Ids) => boolean): Promise<void> {
    const ids = parse(await this.#texts.get(key));
    if (!change(ids)) return;
    const left = [...ids].filter(([, until]) => until > this.#now());
    if (left.length === 0) return this.#texts.delete([key]);
    const until = left.reduce((latest, [, one]) => Math.max(latest, one), 0);
    await this.#texts.set([{ key, text: left.map(([id, one]) => `${id}=${one}`).join(' '), until }]);
  }
}

function keyOf(name: string, part: string): string {
  return `l:${name}:${part}`;
}

/** Returns the ids of a list; none if it is absent or unreadable. */
function parse(list: Found): Ids {
  const pairs = typeof list === 'string' ? list.split(' ').map((pair) => pair.split('=')) : [];
  const whole = pairs.filter(([id, until]) => id !== '' && until !== undefined && !Number.isNaN(Number(until)));
  return new Map(whole.map(([id, until]) => [String(id), Number(until)]));
}

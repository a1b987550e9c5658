import type { Entry } from '../../lib/models/entry.js';
import type { EntryQuery, Store } from '../../lib/stores/store.js';

/** The id of a letter, which it repeats, or of a number, in hexadecimal digits. */
export function idOf(name: string | number): string {
  return typeof name === 'number' ? name.toString(16).padStart(64, '0') : name.repeat(64);
}

/** A response under the id of a letter or a number. */
export function entryOf(name: string | number, more: Partial<Entry> = {}): Entry {
  const meta = Buffer.from(`json\n{"key":"${name}"}`);
  const body = more.body ?? Buffer.from(`body of ${name}`);
  return {
    id: idOf(name),
    kind: 'response',
    group: idOf(name),
    receivedAt: 1_000,
    staleAt: 2_000,
    indexes: [],
    order: 0,
    protection: '',
    signature: '',
    size: meta.length + body.byteLength,
    meta,
    body,
    ...more,
  };
}

/** The ids that a store lists, sorted. */
export async function listedIds(store: Pick<Store, 'list'>, query: EntryQuery = {}): Promise<string[]> {
  const found: string[] = [];
  for await (const { id } of store.list(query)) found.push(id);
  return found.sort();
}

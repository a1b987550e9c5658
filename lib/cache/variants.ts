import type { Entry } from '../models/entry.js';
import type { ResponseRecord, VariantsRecord } from '../models/record.js';
import type { EntryCodec } from '../serializers/codec.js';
import { countOf } from '../stores/entry-query.js';
import type { Store } from '../stores/store.js';
import { failureKind } from '../stores/store-failure.js';

/** Variants of one key that are kept; beyond that the oldest are deleted. */
const MAX_VARIANTS = 32;

/** Returns the marker that is stored with a response that varies. */
export function markerOf({ key, receivedAt, staleAt, order, vary }: ResponseRecord): VariantsRecord {
  return { kind: 'variants', key, receivedAt, staleAt, indexes: [], order, vary };
}

/**
 * Writes a variant with its marker, and deletes the oldest variants of its key beyond the bound. The marker becomes stale
 * with the last of the variants: without it the others could not be found.
 *
 * @returns false if the store refused the variant because it was invalidated
 */
export async function putVariant(
  store: Store,
  codec: EntryCodec,
  entries: readonly Entry[],
  marker: VariantsRecord,
): Promise<boolean> {
  const [id] = codec.names(marker.key);
  const known = await findMarker(store, id);
  if (known && known.staleAt > marker.staleAt) {
    const renewed = await codec.encode({ ...marker, staleAt: known.staleAt });
    if (!(await store.put(entries.map((entry) => (entry.id === id ? renewed : entry))))) return false;
  } else if (!(await store.put(entries))) return false;
  await deleteOldest(store, id);
  return true;
}

async function findMarker(store: Store, id: string): Promise<Entry | undefined> {
  try {
    const found = await store.find(id);
    return found?.kind === 'variants' ? found : undefined;
  } catch (error) {
    if (failureKind(error) === 'entry') return undefined;
    throw error;
  }
}

async function deleteOldest(store: Store, group: string): Promise<void> {
  const query = { kind: 'response', group } as const;
  if ((await countOf(store, query)) <= MAX_VARIANTS) return;
  const variants: { readonly id: string; readonly receivedAt: number }[] = [];
  for await (const { id, receivedAt } of store.list(query)) variants.push({ id, receivedAt });
  variants.sort((a, b) => b.receivedAt - a.receivedAt);
  await store.delete(variants.slice(MAX_VARIANTS).map(({ id }) => id));
}

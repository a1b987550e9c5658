import type { ResponseRecord } from '../models/record.js';
import { groupIndexNames, isUrlIndexName } from '../request/index-names.js';
import type { EntryCodec } from '../serializers/codec.js';
import { countOf } from '../stores/entry-query.js';
import type { Store } from '../stores/store.js';

// Deletion of responses by names in the secondary index, as one step of the store's work.

/** The responses that have one of these names in the secondary index, and answer another method. */
export interface OtherMethods {
  readonly method: string;
  readonly names: readonly string[];
}

/**
 * Deletes the responses that have one of these names: by a URL all variants of a key, by a tag or a cache group each
 * variant that has it. The stamps come first: responses that were requested before are then refused, and those stored
 * before are deleted.
 *
 * @param cacheGroups further digests, of cache groups
 * @returns the number of responses
 */
export async function deleteNamed(
  store: Store,
  codec: EntryCodec,
  names: readonly string[],
  cacheGroups: readonly string[] = [],
): Promise<number> {
  const otherNames = names.filter((name) => !isUrlIndexName(name));
  const urls = digestsOf(codec, names.filter(isUrlIndexName));
  const labels = [...digestsOf(codec, otherNames), ...cacheGroups];
  if (urls.length + labels.length === 0) return 0;
  await store.invalidate?.([...urls, ...labels]);
  const groups = new Set<string>();
  for (const index of urls) for await (const { group } of store.list({ index })) groups.add(group);
  const variants = new Map<string, string>();
  for (const index of labels) {
    for await (const { id, group } of store.list({ index })) {
      if (id === group) groups.add(group);
      else variants.set(id, group);
    }
  }
  const removed = groups.size === 0 ? 0 : await store.deleteGroups([...groups]);
  return removed + (await deleteVariants(store, variants));
}

/** Deletes responses, by id and group, and what belongs to their groups if no other variant is left. */
export async function deleteResponses(store: Store, responses: ReadonlyMap<string, string>): Promise<number> {
  const groups: string[] = [];
  const variants = new Map<string, string>();
  for (const [id, group] of responses) {
    if (id === group) groups.push(id);
    else variants.set(id, group);
  }
  const removed = groups.length === 0 ? 0 : await store.deleteGroups(groups);
  return removed + (await deleteVariants(store, variants));
}

/** Deletes variants, by id and group, and what belongs to their groups if no other variant is left. */
async function deleteVariants(store: Store, variants: ReadonlyMap<string, string>): Promise<number> {
  if (variants.size === 0) return 0;
  const removed = await store.delete([...variants.keys()]);
  const empty: string[] = [];
  for (const group of new Set(variants.values())) {
    if ((await countOf(store, { kind: 'response', group })) === 0) empty.push(group);
  }
  return empty.length === 0 ? removed : removed + (await store.deleteGroups(empty));
}

/**
 * Returns the digests of the cache groups of the responses that their URLs invalidate. Other names do not count, since an
 * invalidation by a group invalidates no further groups (RFC 9875 section 2.2.1).
 */
export async function groupsOfUrls(
  store: Store,
  codec: EntryCodec,
  { names, exceptMethod }: { readonly names: readonly string[]; readonly exceptMethod?: OtherMethods | undefined },
): Promise<readonly string[]> {
  const groups = new Set<string>();
  for (const index of digestsOf(codec, [...names.filter(isUrlIndexName), ...(exceptMethod?.names ?? [])])) {
    for await (const summary of store.list({ index, kind: 'response' })) {
      const decoded = await codec.decodeSummary(summary);
      if ('invalid' in decoded || decoded.record.kind !== 'response') continue;
      if (decoded.record.request.method === exceptMethod?.method) continue;
      for (const digest of digestsOf(codec, groupIndexNames(decoded.record))) groups.add(digest);
    }
  }
  return [...groups];
}

/** Deletes the responses that have one of these names and answer another method; resolves to their number. */
export async function deleteOtherMethods(
  store: Store,
  codec: EntryCodec,
  { method, names }: OtherMethods,
): Promise<number> {
  const others = new Map<string, string>();
  for (const index of digestsOf(codec, names)) {
    for await (const summary of store.list({ index, kind: 'response' })) {
      const decoded = await codec.decodeSummary(summary);
      const isOther = 'invalid' in decoded || (decoded.record as ResponseRecord).request.method !== method;
      if (isOther) others.set(summary.id, summary.group);
    }
  }
  return deleteResponses(store, others);
}

function digestsOf(codec: EntryCodec, names: readonly string[]): readonly string[] {
  return names.flatMap((name) => codec.indexDigests(name));
}

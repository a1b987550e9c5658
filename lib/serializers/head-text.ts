import type { EntryHead } from '../models/entry.js';

/**
 * Returns the cache's name and the head of an entry as one text, for signatures and additional data. Fields of variable
 * length follow their length, so that different heads have different texts.
 */
export function headText(cacheName: string, head: EntryHead): string {
  const { id, kind, group, receivedAt, staleAt, indexes, order } = head;
  const digests = indexes.map(sized).join(' ');
  return `2 ${sized(cacheName)} ${sized(id)} ${kind} ${sized(group)} ${receivedAt} ${staleAt} ${order} ${indexes.length} ${digests}`;
}

function sized(text: string): string {
  return `${text.length}:${text}`;
}

import { codecFor } from '../../lib/cache/backend-options.js';
import { EntryRepository } from '../../lib/cache/entry-repository.js';
import { EntryScan } from '../../lib/cache/entry-scan.js';
import { CircuitBreaker } from '../../lib/stores/circuit-breaker.js';
import type { Store } from '../../lib/stores/store.js';

/** Management of a store's entries: they are counted, deleted and cleared in one step or in many, as the store can. */
export function managed(store: Store): EntryScan {
  const breaker = new CircuitBreaker(store, {}, () => {});
  const codec = codecFor({ cacheName: 'managed' });
  return new EntryScan(new EntryRepository({ breaker, codec, onEvent: () => {}, now: Date.now }));
}

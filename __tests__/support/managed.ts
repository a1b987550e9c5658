import { codecFor } from '../../lib/cache/backend-options.js';
import { Rows } from '../../lib/cache/rows.js';
import { CircuitBreaker } from '../../lib/stores/circuit-breaker.js';
import type { Store } from '../../lib/stores/store.js';

/** A store's rows as management sees them: counted, purged and cleared in one step or in many, as the store can. */
export function managed(store: Store): Rows {
  return new Rows(new CircuitBreaker(store, {}, () => {}, Date.now), codecFor({ cacheName: 'managed' }), () => {});
}

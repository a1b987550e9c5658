import type { BackendClock } from '../cache/backend-options.js';
import type { BaseCache } from '../cache/base-cache.js';
import { type CacheInternals, internalsOf } from '../cache/internals.js';
import { openCache } from '../cache/open-cache.js';
import { storeOptions } from '../settings/given-options.js';
import { InstanceSettings } from '../settings/instance.js';
import type { CacheOptions } from '../settings/types.js';
import { type CachingContext, InFlight } from './caching-adapter.js';

/** A cache that is attached to no instance of its own: of a caching adapter, or of an installation. */
export class OpenedCache implements CachingContext {
  readonly base: BaseCache;
  readonly cache: CacheInternals;
  readonly settings: InstanceSettings;
  readonly #owned: boolean;
  readonly #release: () => void;
  readonly inFlight = new InFlight();
  #isReleased = false;

  /** @throws as `setupCache` */
  constructor(options: CacheOptions, clock: BackendClock) {
    this.settings = new InstanceSettings(options);
    const { cache, owned } = openCache(storeOptions(options), clock);
    this.base = cache;
    this.cache = internalsOf(cache);
    this.settings.useStore(this.cache.breaker.store);
    this.#owned = owned;
    this.#release = this.cache.use(this.settings);
  }

  isDisabled(): boolean {
    return this.#isReleased;
  }

  /** Ends the use of the cache: requests that arrive later are sent without it. */
  release(): void {
    this.#isReleased = true;
    this.#release();
  }

  /** Releases the cache, waits for the requests in flight (at most `backendTimeout`), and closes a store that was opened here. */
  async close(): Promise<void> {
    this.release();
    await this.cache.breaker.withinBudget(this.inFlight.idle());
    if (this.#owned) await this.base.close();
  }
}

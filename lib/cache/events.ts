import { channel } from 'node:diagnostics_channel';
import { format } from 'node:util';
import type { CacheEvent, CacheEventType } from '../models/events.js';

/** The name of the diagnostics channel, and of the namespace in `DEBUG`. */
const NAME = 'axios-keyv-cache';
const diagnostics = channel(NAME);

/** How often each event happened to a cache since it was opened. */
export type EventCounts = Readonly<Record<CacheEventType, number>>;

/** Finds an instance's present listener. */
type FindListener = () => ((event: CacheEvent) => void) | undefined;

/** Counts what happens to a cache, and tells whoever listens; what nobody listens to is not even put together. */
export class EventDesk {
  readonly #counts: Record<CacheEventType, number> = {
    hit: 0,
    miss: 0,
    stale: 0,
    revalidated: 0,
    stored: 0,
    skipped: 0,
    invalidated: 0,
    removed: 0,
    invalid: 0,
    error: 0,
    recovered: 0,
  };
  readonly #listeners = new Set<FindListener>();
  readonly #logs = namesUs(process.env.DEBUG ?? '');

  get counts(): EventCounts {
    return { ...this.#counts };
  }

  /**
   * @param describe puts the event together
   * @param onEvent the listener of whose request it is
   * @returns whether anyone was told
   */
  emit(type: CacheEventType, describe: () => CacheEvent, onEvent: ((event: CacheEvent) => void) | undefined): boolean {
    this.#counts[type] += 1;
    if (!onEvent && !this.#logs && !diagnostics.hasSubscribers) return false;
    const event = describe();
    diagnostics.publish(event);
    if (this.#logs) log(event);
    if (!onEvent) return false;
    try {
      onEvent(event);
    } catch {
      // A listener's mistake is nothing that a request should suffer from.
    }
    return true;
  }

  /** Has an instance hear of what concerns the store as a whole, until the result is called. */
  listen(find: FindListener): () => void {
    this.#listeners.add(find);
    return () => this.#listeners.delete(find);
  }

  /** Tells every instance of an outage, or of its end; where nobody listens, an outage is told as a warning. */
  tellAll(event: CacheEvent): void {
    // Instances may share a listener, which is to hear of it once.
    const found = new Set([...this.#listeners].map((find) => find()).filter((listener) => listener !== undefined));
    const tellEach = (told: CacheEvent) => {
      for (const listener of found) listener(told);
    };
    const heard = this.emit(event.type, () => event, found.size === 0 ? undefined : tellEach);
    if (heard || event.type !== 'error') return;
    const cause = (event.error as Error | null | undefined)?.message ?? event.reason;
    process.emitWarning(`the cache's store is out, requests go on without it: ${cause}`, 'CacheWarning');
  }
}

function log({ type, url = '', reason = '', error }: CacheEvent): void {
  const said = error === undefined ? '' : format(' %s', error);
  process.stderr.write(`${new Date().toISOString()} ${NAME} ${type} ${url} ${reason}${said}\n`);
}

/** The convention of the `debug` package: names apart by commas or spaces, `*` for anything, `-` to leave out. */
function namesUs(setting: string): boolean {
  const patterns = setting.split(/[\s,]+/).filter((pattern) => pattern !== '');
  const matches = (pattern: string) => {
    const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`).test(NAME);
  };
  const excluded = patterns.some((pattern) => pattern.startsWith('-') && matches(pattern.slice(1)));
  return !excluded && patterns.some((pattern) => !pattern.startsWith('-') && matches(pattern));
}

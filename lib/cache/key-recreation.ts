import type { RedirectRecord, ResponseRecord } from '../models/record.js';
import { nameOfRecord } from '../serializers/naming.js';
import { MANAGEMENT } from '../stores/circuit-breaker.js';
import type { ClientRecords } from './client-records.js';
import type { EntryRepository } from './entry-repository.js';
import type { EntryScan } from './entry-scan.js';

/** The result of `recreateKeys`: the number of responses under another key than before, and of the others. */
export interface RecreatedKeys {
  readonly changed: number;
  readonly kept: number;
}

/** Moves stored responses to the keys that their requests have under the present settings. */
export class KeyRecreation {
  readonly #repository: EntryRepository;
  readonly #scan: EntryScan;
  readonly #records: ClientRecords;

  constructor(repository: EntryRepository, scan: EntryScan, records: ClientRecords) {
    this.#repository = repository;
    this.#scan = scan;
    this.#records = records;
  }

  async run(): Promise<RecreatedKeys> {
    const before = await this.#scan.count();
    let changed = 0;
    // One after another: several may get the same key, of which the newest counts.
    for await (const { record } of this.#scan.responses()) {
      if (this.#records.rekeyed(record) && (await this.#move(record))) changed += 1;
    }
    return { changed, kept: Math.max(0, before - changed) };
  }

  /** Returns false if the response was deleted or invalidated meanwhile. */
  async #move(listed: ResponseRecord): Promise<boolean> {
    const { invalidations } = this.#repository;
    // A response that is invalidated meanwhile must not return under its new key.
    const since = invalidations.begin();
    try {
      // The deletion in the background may know its old key alone.
      if (this.#repository.isPending(listed)) return false;
      const order = await this.#repository.currentOrder(MANAGEMENT);
      const record = await this.#repository.reread(listed, MANAGEMENT);
      const moved = record && this.#records.rekeyed(record);
      if (!moved) return false;
      const redirects = await this.#redirectsTo(record);
      const present = await this.#repository.reread(moved, MANAGEMENT);
      if (!present || present.receivedAt < record.receivedAt) {
        const mappings = redirects.map((redirect) => this.#records.rekeyedRedirect(redirect, record, moved));
        const toOthers = mappings.filter(({ key }) => key !== moved.key).map((redirect) => ({ ...redirect, order }));
        const aliases = toOthers.length === 0 ? undefined : toOthers.map(({ key }) => key);
        const result = await this.#repository.save({ ...moved, order, aliases }, toOthers, MANAGEMENT, { since });
        if (result !== 'stored') return false;
        await this.#deleteOld(record, redirects, new Set(toOthers.map(({ key }) => key)));
      } else await this.#deleteOld(record, redirects, new Set());
      return true;
    } finally {
      invalidations.end();
    }
  }

  async #redirectsTo({ key, stamp }: ResponseRecord): Promise<readonly RedirectRecord[]> {
    const found: RedirectRecord[] = [];
    for (const group of this.#repository.codec.names(key)) {
      for await (const entry of this.#scan.summaries({ kind: 'redirect', group })) {
        if ('record' in entry && entry.record.kind === 'redirect' && entry.record.stamp === stamp)
          found.push(entry.record);
      }
    }
    return found;
  }

  /** Deletes a response that was moved, the redirects that were not written again, and the group if nothing else is in it. */
  async #deleteOld(
    record: ResponseRecord,
    redirects: readonly RedirectRecord[],
    kept: ReadonlySet<string>,
  ): Promise<void> {
    const { codec } = this.#repository;
    const names = codec.names(record.key);
    const gone = redirects.filter(({ key }) => !kept.has(key)).flatMap(({ key }) => codec.names(key));
    const own = names.map((name) => nameOfRecord(name, record));
    await this.#repository.deleteExact([...own, ...gone]);
    for (const group of names) {
      if ((await this.#scan.count({ kind: 'response', group })) === 0) await this.#repository.deleteGroups([group]);
    }
  }
}

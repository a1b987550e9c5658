import { systemNow } from '../../platform/clock.js';
import { brandOf } from '../../platform/shared-state.js';
import { jsonSerializer, linedJsonSerializer } from '../../serializers/formats.js';
import { openSerializer } from '../../serializers/open-serializer.js';
import type { Serializer } from '../../serializers/serializer.js';
import { type FileExtension, FileStore, type FileStoreOptions } from '../../stores/filesystem/index.js';
import {
  type BackendClock,
  type CommonBackendOptions,
  codecFor,
  count,
  DEFAULT_CACHE_NAME,
  flag,
  readBackendOptions,
  readPath,
} from '../backend-options.js';
import { BaseCache } from '../base-cache.js';

export interface FileCacheOptions extends CommonBackendOptions, Omit<FileStoreOptions, 'retention'> {}

/**
 * Stored responses in files, one each (requests-cache: `FileCache`). `cacheName` is the path of their folder: relative,
 * absolute, or below the home directory (`~/`).
 *
 * @example new FileCache({ cacheName: '~/caches/reports', maxSize: 500_000_000, durable: true })
 */
export class FileCache extends BaseCache {
  /** @internal */
  static override readonly brand: string = /* @__PURE__ */ brandOf('FileCache');

  /** @throws TypeError for a wrong option, which it names */
  constructor(options: FileCacheOptions = {}, { now = systemNow }: BackendClock = {}) {
    const read = readBackendOptions(options, { cacheName: readPath, maxEntries: count, maxSize: count, durable: flag });
    const own = read as FileCacheOptions & { retention?: number };
    const serializer = readableForm((read.serializer as Serializer | undefined) ?? openSerializer(undefined));
    const extension = read.encryptionKey === undefined ? extensionFor(serializer) : '.bin';
    const codec = codecFor({ ...read, serializer });
    const store = new FileStore(own.cacheName ?? DEFAULT_CACHE_NAME, own, now, extension);
    super({ ...own, store, codec, now });
  }
}

function readableForm(serializer: Serializer): Serializer {
  return serializer === jsonSerializer ? linedJsonSerializer : serializer;
}

/** A custom serializer is as readable as its name indicates. */
function extensionFor({ name }: Serializer): FileExtension {
  return name === 'json' || name === 'yaml' ? `.${name}` : '.bin';
}

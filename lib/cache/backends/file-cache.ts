import { FileStore, type FileStoreOptions } from '../../stores/file.js';
import {
  type BackendClock,
  type CommonBackendOptions,
  codecFor,
  count,
  DEFAULT_CACHE_NAME,
  readBackendOptions,
  readPath,
} from '../backend-options.js';
import { BaseCache } from '../base-cache.js';

export interface FileCacheOptions extends CommonBackendOptions, Omit<FileStoreOptions, 'retention'> {}

/** Stored responses in files, one each. `cacheName` is the path of their folder, relative or absolute. */
export class FileCache extends BaseCache {
  /** @throws TypeError for a wrong option, which it names */
  constructor(options: FileCacheOptions = {}, { now = Date.now }: BackendClock = {}) {
    const read = readBackendOptions(options, { cacheName: readPath, maxEntries: count, maxSize: count });
    const { cacheName = DEFAULT_CACHE_NAME, ...rest } = read as FileCacheOptions & { retention?: number };
    super({ ...rest, store: new FileStore(cacheName, rest, now), codec: codecFor(read), now });
  }
}

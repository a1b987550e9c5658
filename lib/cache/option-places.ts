/** The options of each backend, beside those of all backends, for hints in errors. */
export const BACKEND_OPTION_NAMES: Readonly<Record<string, readonly string[]>> = {
  sqlite: ['driver', 'useTemp', 'useCacheDir', 'busyTimeout', 'fastSave', 'maxEntries', 'maxSize'],
  redis: ['url', 'client', 'clientOptions', 'clusterOptions', 'sentinelOptions', 'shards'],
  mongodb: ['url', 'client', 'clientOptions', 'database', 'collection'],
  gridfs: ['url', 'client', 'clientOptions', 'database', 'bucket'],
  dynamodb: ['endpoint', 'region', 'credentials', 'clientOptions', 'table'],
  filesystem: ['durable', 'maxEntries', 'maxSize'],
  memory: ['maxEntries', 'maxSize'],
};

/** The options of every backend that are not options of `setupCache`. */
export const COMMON_BACKEND_OPTION_NAMES: readonly string[] = ['backendTimeout', 'strict', 'retention'];

/** Returns the names of the backends that have an option, as a text; undefined if none has it. */
export function backendsWith(option: string): string | undefined {
  const backends = Object.keys(BACKEND_OPTION_NAMES).filter((name) => BACKEND_OPTION_NAMES[name]?.includes(option));
  return backends.length === 0 ? undefined : backends.join(', ');
}

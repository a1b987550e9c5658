import { createRequire } from 'node:module';
import { CacheError } from '../errors.js';

const require = createRequire(import.meta.url);

/** Whether a package is installed where this one can use it. Says nothing of whether it can be loaded. */
export function canResolve(packageName: string): boolean {
  try {
    require.resolve(packageName);
    return true;
  } catch (error) {
    // A package for `import` alone does not resolve for `require`, but is there.
    return (error as { code?: string }).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
  }
}

/** The error for a client library that is not installed; `what` needs it. */
export function missingPackage(packageName: string, what: string, cause?: unknown): CacheError {
  const message = `${what} needs the package ${packageName}, which is not installed: npm install ${packageName}`;
  return new CacheError('ERR_CACHE_MISSING_PACKAGE', message, { cause });
}

/**
 * Loads an optional client library.
 *
 * @param what for the message: the backend or serializer that needs it
 * @throws CacheError `ERR_CACHE_MISSING_PACKAGE`, or `ERR_CACHE_BROKEN_PACKAGE` where it is there but can't be loaded
 */
export async function loadClient<T>(packageName: string, what: string): Promise<T> {
  try {
    return (await import(packageName)) as T;
  } catch (cause) {
    if (!canResolve(packageName)) throw missingPackage(packageName, what, cause);
    const message = `${what} can't load the package ${packageName} (${String((cause as Error).message)}); its native part may not have been built: npm rebuild`;
    throw new CacheError('ERR_CACHE_BROKEN_PACKAGE', message, { cause });
  }
}

/**
 * Loads what an optional client library stands on, by that library's own dependency: package managers that keep
 * packages apart hide it from us.
 *
 * @throws as {@link loadClient}
 */
export async function loadBeneath<T>(packageName: string, dependency: string, what: string): Promise<T> {
  await loadClient(packageName, what);
  return createRequire(require.resolve(packageName))(dependency) as T;
}

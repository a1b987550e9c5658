import { existsSync, readFileSync } from 'node:fs';
import * as nodeModule from 'node:module';
import * as path from 'node:path';
import { CacheError } from '../errors.js';

type Loader = () => Promise<unknown>;

/** Packages that have a native part, with the package that contains it. */
const NATIVE: Readonly<Record<string, string>> = { '@keyv/sqlite': 'sqlite3' };
const OWN_MANIFEST = 'axios-keyv-cache/package.json';
/** Not found by `require`: the package may be for `import` alone, or visible only to the bundler's own loader. */
const NOT_FOUND: ReadonlySet<unknown> = new Set(['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND']);
const NOT_FOR_REQUIRE: ReadonlySet<unknown> = new Set(['ERR_REQUIRE_ESM', 'ERR_REQUIRE_ASYNC_MODULE']);

/** Literal imports of the subpaths' clients, which bundlers can follow. */
const bundled = new Map<string, Loader>();
let memo: NodeJS.Require | undefined;

/** Registers an import that bundlers can follow, for a client that `require` does not find at run time. */
export function provideClient(packageName: string, load: Loader): void {
  bundled.set(packageName, load);
}

/** `require` as this package sees it. Made on demand: `import.meta.url` is undefined in CommonJS bundles. */
export function packageRequire(): NodeJS.Require {
  memo ??= requireFrom(ownFile());
  return memo;
}

/**
 * `createRequire` by a name that bundlers cannot compute, since they would replace it. The webpack of Next.js gives a
 * CommonJS module that is a function, such as `node:module`, only the export `default`.
 */
function requireFrom(file: string): NodeJS.Require {
  const name = ['create', 'Require'].join('');
  const create: typeof nodeModule.createRequire =
    Reflect.get(nodeModule, name) ?? Reflect.get(nodeModule.default, name);
  return create(file);
}

/**
 * The file of this code, or one in the working folder. Bundlers write paths that do not exist: webpack that of the machine
 * that built the bundle into `import.meta.url`, and `/index.js` into `__filename`.
 */
function ownFile(): string {
  const url = import.meta.url as string | undefined;
  // `existsSync` also returns false for the path of another operating system.
  if (url?.startsWith('file:') && existsSync(new URL(url))) return url;
  const file = typeof __filename === 'string' ? __filename : '';
  return path.isAbsolute(file) && existsSync(file) ? file : path.resolve('index.js');
}

/**
 * The path of a package's entry, or its name if only the caller's `import` may find it.
 *
 * @throws the error of `require.resolve`
 */
function resolve(packageName: string): string {
  try {
    return packageRequire().resolve(packageName);
  } catch (error) {
    if (codeOf(error) !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw error;
    return entryForImport(packageName) ?? packageName;
  }
}

/** The entry of a package that has no `require` condition. */
function entryForImport(packageName: string): string | undefined {
  for (const folder of packageRequire().resolve.paths(packageName) ?? []) {
    const root = path.join(folder, packageName);
    const manifest = path.join(root, 'package.json');
    if (!existsSync(manifest)) continue;
    const { exports } = JSON.parse(readFileSync(manifest, 'utf8')) as { exports?: Record<string, unknown> };
    const entry = importTarget(exports?.['.'] ?? exports);
    return entry && path.join(root, entry);
  }
  return undefined;
}

function importTarget(target: unknown): string | undefined {
  if (typeof target === 'string') return target;
  const conditions = Object.entries((target ?? {}) as object);
  return conditions
    .filter(([name]) => ['node', 'import', 'module-sync', 'default'].includes(name))
    .map(([, nested]) => importTarget(nested))
    .find((entry) => entry !== undefined);
}

/** Whether a package is installed for this one; it need not load. */
export function canResolve(packageName: string): boolean {
  if (resolves(packageName)) return true;
  // In a bundle that was moved away from its packages, the build has resolved the client.
  return bundled.has(packageName) && !resolves(OWN_MANIFEST);
}

function resolves(name: string): boolean {
  try {
    return resolve(name) !== '';
  } catch {
    return false;
  }
}

/** The error for a client library that is not installed; `what` needs it. */
export function missingPackage(packageName: string, what: string, cause?: unknown): CacheError {
  const message = `${what} needs the package ${packageName}, which is not installed; install it with ${installCommands(packageName)}`;
  return new CacheError('ERR_CACHE_MISSING_PACKAGE', message, { cause });
}

/** How to install a package, by package manager. */
function installCommands(name: string): string {
  const native = NATIVE[name];
  if (native !== undefined) return nativeInstallCommands(name, native);
  return `npm install ${name}, pnpm add ${name}, yarn add ${name}, bun add ${name} or deno add npm:${name}`;
}

/** The error for a client library that is installed but does not load. */
function brokenPackage(packageName: string, what: string, cause: unknown): CacheError {
  const reason = String((cause as Error | undefined)?.message ?? cause).split('\n', 1)[0];
  const peer = missingPeer(cause);
  const native = NATIVE[packageName];
  let advice = `install it again with ${installCommands(packageName)}`;
  if (peer !== undefined) advice = `install what it needs: yarn add ${peer}`;
  else if (native !== undefined) advice = buildCommands(packageName, native);
  const message = `${what} cannot load the package ${packageName} (${reason}); ${advice}`;
  return new CacheError('ERR_CACHE_BROKEN_PACKAGE', message, { cause });
}

/** The peer dependency that Yarn's Plug'n'Play finds missing; undefined for any other error. */
function missingPeer(cause: unknown): string | undefined {
  const { pnpCode, data } = (cause ?? {}) as { pnpCode?: unknown; data?: { dependencyName?: unknown } };
  if (pnpCode !== 'MISSING_PEER_DEPENDENCY' || typeof data?.dependencyName !== 'string') return undefined;
  return data.dependencyName;
}

/** How to install a package with a native part: most package managers do not run the install scripts of dependencies. */
function nativeInstallCommands(packageName: string, native: string): string {
  return [
    `npm install ${packageName} (npm 12: then npm install-scripts approve ${native} && npm rebuild ${native})`,
    `pnpm add --allow-build=${native} ${packageName}`,
    `or yarn add ${packageName} keyv@5 after ${yarnPermission(native)}`,
  ].join(', ');
}

/** How to build a native part that was not built. */
function buildCommands(packageName: string, native: string): string {
  return [
    `the native part of ${native} may not have been built. npm 12: npm install-scripts approve ${native} && npm rebuild ${native}`,
    `npm 10 and 11: npm rebuild ${native}`,
    `pnpm: pnpm add --allow-build=${native} ${packageName} && pnpm rebuild ${native}`,
    `yarn: ${yarnPermission(native)}, then yarn install`,
  ].join('; ');
}

function yarnPermission(native: string): string {
  return `"dependenciesMeta": { "${native}": { "built": true } } in package.json`;
}

/**
 * Loads an optional client library.
 *
 * `require` comes before `import()`: in Node 20, importing an ES module whose CommonJS dependency throws ends the
 * process by a second, unhandled rejection.
 *
 * @param what for the message: the backend or serializer that needs it
 * @throws CacheError `ERR_CACHE_MISSING_PACKAGE`, or `ERR_CACHE_BROKEN_PACKAGE` if it is installed but does not load
 */
export async function loadClient<T>(packageName: string, what: string): Promise<T> {
  const { prepareStackTrace } = Error;
  try {
    return await load<T>(packageName, what);
  } catch (error) {
    // The loader of native parts replaces it, and leaves one that throws if it fails in a bundle as an ES module.
    Error.prepareStackTrace = prepareStackTrace;
    throw error;
  }
}

async function load<T>(packageName: string, what: string): Promise<T> {
  let notFound: unknown;
  try {
    return packageRequire()(resolve(packageName)) as T;
  } catch (error) {
    const isElsewhere = NOT_FOUND.has(codeOf(error)) && !resolves(packageName);
    if (!isElsewhere && !NOT_FOR_REQUIRE.has(codeOf(error))) throw brokenPackage(packageName, what, error);
    notFound = error;
  }
  try {
    const loader = bundled.get(packageName) ?? (() => import(/* webpackIgnore: true */ /* @vite-ignore */ packageName));
    return (await loader()) as T;
  } catch (error) {
    // A realm without `import()` cannot add anything to the error of `require`.
    const cause = String(codeOf(error)).startsWith('ERR_VM_DYNAMIC_IMPORT') ? notFound : error;
    const isMissing = !canResolve(packageName) || isAbsent(packageName, cause);
    throw (isMissing ? missingPackage : brokenPackage)(packageName, what, cause);
  }
}

/**
 * Loads a dependency of an optional client library as that library sees it: package managers that keep packages apart
 * hide it from this package.
 *
 * @throws as {@link loadClient}
 */
export async function loadBeneath<T>(packageName: string, dependency: string, what: string): Promise<T> {
  if (!resolves(packageName)) return loadClient<T>(dependency, what);
  await loadClient(packageName, what);
  try {
    return requireFrom(resolve(packageName))(dependency) as T;
  } catch (error) {
    throw brokenPackage(dependency, what, error);
  }
}

/** Whether an error says that a package of a bundle was not there when the bundle was built, nor is it now. */
function isAbsent(packageName: string, error: unknown): boolean {
  return NOT_FOUND.has(codeOf(error)) && String((error as Error).message).includes(`'${packageName}'`);
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null | undefined)?.code;
}

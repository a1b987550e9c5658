import { defineConfig, type UserConfig } from 'tsdown';

/** Backends with large clients have a subpath of their own, as `axios-keyv-cache/redis`. */
const SUBPATHS = ['sqlite', 'redis', 'mongodb', 'gridfs', 'dynamodb'];

/** Small packages that are part of the build: each file that Node opens and resolves delays the import of the package. */
const BUNDLED = ['fastest-levenshtein', 'lossless-json', 'lru-cache', 'p-limit', 'structured-headers', 'yocto-queue'];

/** Code of this package that loads on demand: stores on a network, and jose. Names, locations and bounds of stores do not. */
const ON_DEMAND = /\/stores\/(redis|mongodb|gridfs|dynamodb)\/(?!traits|location)|\/jose-parts/;
const ENTRIES = /\/lib\/(index|subpaths\/\w+)\.ts$/;
/** Dependencies of the build that load on demand. */
const LOADED_LATER = /\/node_modules\/(jose|p-limit|yocto-queue)\//;

/** Whether a module loads with each import of the package. These are one file, since each file takes Node time to open. */
function isCore(id: string): boolean {
  return /\.(?<!\.d\.)[cm]?[jt]s$/.test(id) && ![ON_DEMAND, ENTRIES, LOADED_LATER].some((other) => other.test(id));
}

const common: UserConfig = {
  entry: {
    index: 'lib/index.ts',
    ...Object.fromEntries(SUBPATHS.map((name) => [name, `lib/subpaths/${name}.ts`])),
  },
  dts: true,
  platform: 'node',
  target: 'node20.19',
  fixedExtension: false,
  outDir: 'dist',
  external: ['mongodb', /^@aws-sdk\//],
  noExternal: BUNDLED,
  outputOptions: {
    codeSplitting: { groups: [{ name: 'core', test: isCore }] },
    // The declarations contain the documentation: comments alone would be a quarter of the code.
    comments: { legal: true, annotation: true, jsdoc: false },
  },
};

/** One build each for `import` and `require`, with declarations of its own: axios's types differ between the two. */
export default defineConfig([
  { ...common, format: 'esm', clean: true },
  {
    ...common,
    format: 'cjs',
    clean: false,
    // jose is an ES module alone: this build has a CommonJS copy of it, in a chunk that loads on demand.
    noExternal: ['jose', ...BUNDLED],
    // It uses globals that some realms lack, such as that of jsdom in Jest.
    inputOptions: {
      transform: {
        // Without it, the build would compute the URL from `__filename`, which ES module bundles of this build lack.
        define: { 'import.meta.url': 'undefined' },
        inject: {
          TextDecoder: ['node:util', 'TextDecoder'],
          TextEncoder: ['node:util', 'TextEncoder'],
          atob: ['node:buffer', 'atob'],
          btoa: ['node:buffer', 'btoa'],
          crypto: ['node:crypto', 'webcrypto'],
        },
      },
    },
  },
]);

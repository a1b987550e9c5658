import { defineConfig, type UserConfig } from 'tsdown';

/** Backends with large clients have a subpath of their own, as `axios-keyv-cache/redis`. */
const SUBPATHS = ['sqlite', 'redis', 'mongodb', 'gridfs', 'dynamodb'];

/** Small packages that are part of the build: each file that Node opens and resolves delays the import of the package. */
const BUNDLED = ['fastest-levenshtein', 'lossless-json', 'lru-cache', 'p-limit', 'structured-headers', 'yocto-queue'];

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

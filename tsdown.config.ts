import { defineConfig } from 'tsdown';

/** Those whose clients are heavy have a subpath of their own, as `axios-keyv-cache/redis`. */
const BACKENDS = { sqlite: 'sqlite', redis: 'redis', mongodb: 'mongo', gridfs: 'gridfs', dynamodb: 'dynamodb' };

/** One bundle each for `import` and `require`, with declarations of its own: axios's types differ between the two. */
export default defineConfig({
  entry: {
    index: 'lib/index.ts',
    ...Object.fromEntries(
      Object.entries(BACKENDS).map(([name, file]) => [name, `lib/cache/backends/${file}-cache.ts`]),
    ),
  },
  format: ['esm', 'cjs'],
  dts: true,
  platform: 'node',
  target: 'node20.19',
  fixedExtension: false,
  outDir: 'dist',
  clean: true,
});

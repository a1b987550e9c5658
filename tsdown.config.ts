import { defineConfig, type UserConfig } from 'tsdown';

/** Backends with large clients have a subpath of their own, as `axios-keyv-cache/redis`. */
const SUBPATHS = ['sqlite', 'redis', 'mongodb', 'gridfs', 'dynamodb'];

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
};

/** One build each for `import` and `require`, with declarations of its own: axios's types differ between the two. */
export default defineConfig([
  { ...common, format: 'esm', clean: true },
  // jose is an ES module alone: this build has a CommonJS copy of it, in a chunk that loads on demand.
  { ...common, format: 'cjs', clean: false, noExternal: ['jose'] },
]);

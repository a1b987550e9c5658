import { defineConfig } from 'tsdown';

/** One bundle each for `import` and `require`, with declarations of its own: axios's types differ between the two. */
export default defineConfig({
  entry: { index: 'lib/index.ts' },
  format: ['esm', 'cjs'],
  dts: true,
  platform: 'node',
  target: 'node20.19',
  fixedExtension: false,
  outDir: 'dist',
  clean: true,
});

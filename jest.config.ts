/** @jest-config-loader esbuild-register */
import type { Config } from 'jest';

/** Jest in ESM mode: jose is ESM alone. Types are checked by `npm run check`, so tests only transpile. */
const config: Config = {
  testEnvironment: '<rootDir>/__tests__/support/environment.mjs',
  roots: ['<rootDir>/__tests__'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': ['ts-jest', { useESM: true, tsconfig: 'tsconfig.json' }] },
  // Some tests write thousands of entries, and machines are slow at times.
  testTimeout: 60_000,
  // The default is one less than the number of cores, hence one at a time on two.
  maxWorkers: '100%',
  reporters: ['default', '<rootDir>/scripts/contract-reporter.mjs'],
};

export default config;

import { availableParallelism } from 'node:os';

/**
 * Two projects: `unit` is fast and offline, `real` starts real servers (built by tools/) and takes minutes.
 * @type {import('jest').Config}
 */
const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2024', parser: { syntax: 'typescript', decorators: true } }, module: { type: 'es6' } }],
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
};

const real = ['<rootDir>/test/**/*.real.test.ts', '<rootDir>/test/e2e/**/*.test.ts', '<rootDir>/test/faults/**/*.test.ts'];

export default {
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/test/**/*.test.ts'], testPathIgnorePatterns: ['/node_modules/', '\\.real\\.test\\.ts$', '/test/e2e/', '/test/faults/'] },
    { ...shared, displayName: 'real', testMatch: real, globalSetup: '<rootDir>/test/support/global-setup.ts', globalTeardown: '<rootDir>/test/support/global-teardown.ts' },
  ],
  reporters: ['default', '<rootDir>/tools/jest-summary.js'],
  testSequencer: '<rootDir>/tools/jest-sequencer.js',
  testTimeout: 60_000,
  // most of a test on real servers is waiting for them, yet with twice as many as cores some are late
  maxWorkers: availableParallelism() + 1,
  // a worker keeps the modules of every file it ran: collecting a heap of 2 GB takes longer than to begin anew
  workerIdleMemoryLimit: '700MB',
};

import { defineConfig } from 'vitest/config';

/** Branchline beside a real Temporal server: `npm run compat:scenarios`. */
export default defineConfig({
  test: {
    globalSetup: ['compat-tests/scenarios/harness/global-setup.ts'],
    include: ['compat-tests/scenarios/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    maxConcurrency: 10,
    reporters: process.env.CI
      ? ['default', ['json', { outputFile: '.branchline/vitest-scenarios.json' }]]
      : ['default'],
  },
});

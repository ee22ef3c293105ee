import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    include: ['shim/**/*.test.ts', 'codemod/**/*.test.ts', 'test/**/*.test.ts', 'compat-tests/sdk-suite/*.test.ts'],
    // Minutes of kills: `npm run test:soak`.
    exclude: ['**/*.soak.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    // .ci/run adds the counts up.
    reporters: process.env.CI
      ? ['default', ['json', { outputFile: '.branchline/vitest.json' }]]
      : ['default', './test/support/not-run-reporter.ts'],
  },
});

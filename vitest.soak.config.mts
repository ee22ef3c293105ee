import { defineConfig } from 'vitest/config';

/** Longer faults: `npm run test:soak`. */
export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    include: ['compat-tests/faults/**/*.test.ts', 'test/faults/**/*.soak.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    reporters: process.env.CI ? ['default', ['json', { outputFile: '.branchline/vitest-soak.json' }]] : ['default'],
  },
});

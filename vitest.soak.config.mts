import { defineConfig } from 'vitest/config';

/** Longer faults: `npm run test:soak`. */
export default defineConfig({
  test: {
    include: ['compat-tests/faults/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    reporters: process.env.CI ? ['default', ['json', { outputFile: '.branchline/vitest-soak.json' }]] : ['default'],
  },
});

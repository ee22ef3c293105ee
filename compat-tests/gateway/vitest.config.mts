import { defineConfig } from 'vitest/config';

/** Other people's software on our tables, through the gateway: `npm run compat:gateway`. */
export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    include: ['compat-tests/gateway/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 1,
    reporters: process.env.CI ? ['default', ['json', { outputFile: '.branchline/vitest-gateway.json' }]] : ['default'],
  },
});

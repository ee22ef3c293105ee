import { defineConfig } from 'vitest/config';
import UiReporter from './reporter.mts';

/** Temporal's Web UI on our tables, in a real browser: `npm run compat:ui`. */
export default defineConfig({
  test: {
    globalSetup: ['compat-tests/ui/global-setup.ts'],
    include: ['compat-tests/ui/**/*.test.ts'],
    testTimeout: 90_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 1,
    reporters: [
      'default',
      new UiReporter(),
      ...(process.env.CI ? [['json', { outputFile: '.branchline/vitest-ui.json' }] as ['json', object]] : []),
    ],
  },
});

/** What all builds of workflow code have in common. */
import type { BuildOptions } from 'esbuild';

/**
 * Follows the official bundler: the `browser` field and condition apply (no Node modules in the sandbox), the build counts as development.
 * Names are kept because class names reach failures and function names are workflow types.
 */
export const commonBuildOptions = {
  bundle: true,
  write: false,
  metafile: true,
  platform: 'browser',
  mainFields: ['browser', 'module', 'main'],
  conditions: ['webpack', 'development', 'browser', 'module'],
  target: 'node20',
  keepNames: true,
  charset: 'utf8',
  legalComments: 'none',
  sourcemap: 'external',
  logLevel: 'silent',
  resolveExtensions: ['.ts', '.tsx', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json'],
  define: {
    global: 'globalThis',
    __filename: '"/index.js"',
    __dirname: '"/"',
    'process.env.NODE_ENV': '"development"',
  },
} satisfies BuildOptions;

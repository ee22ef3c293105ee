/**
 * `branchline/eslint`: what `branchline assess` finds in workflow code, in the editor and in CI. For files with workflow code:
 *
 * ```js
 * import branchline from 'branchline/eslint';
 * export default [{ files: ['src/workflows/**'], ...branchline.configs.workflows }];
 * ```
 * @module
 */
import type { ESLint, Linter } from 'eslint';
import { boundary } from './boundary';
import { noForbiddenImport } from './no-forbidden-import';
import { noNondeterminism } from './no-nondeterminism';
import { noWideFanOut } from './no-wide-fan-out';

const rules = {
  boundary,
  'no-forbidden-import': noForbiddenImport,
  'no-nondeterminism': noNondeterminism,
  'no-wide-fan-out': noWideFanOut,
};

const plugin = { meta: { name: 'branchline' }, rules, configs: {} as Record<'workflows', Linter.Config> };

plugin.configs.workflows = {
  plugins: { branchline: plugin as unknown as ESLint.Plugin },
  rules: {
    'branchline/no-forbidden-import': 'error',
    'branchline/no-nondeterminism': 'error',
    'branchline/no-wide-fan-out': 'warn',
  },
};

export = plugin;

import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const noCompiler = [['ts-morph', 'diff'], 'the runtime does not load the compiler: only codemod/ does'];

/** The arrows of ARCHITECTURE.md: what a folder must not import. */
const forbid = (files, groups) => ({
  files,
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: (files.some((file) => file.startsWith('shim/')) ? [...groups, noCompiler] : groups).map(
          ([group, message]) => ({ group, message }),
        ),
      },
    ],
  },
});
const nativeWorker = [
  [
    '@temporalio/worker',
    '@temporalio/worker/**',
    '@temporalio/testing',
    '@temporalio/testing/**',
    '@temporalio/core-bridge',
  ],
  'loads the native library: it judges us, in tests only',
];
const noPg = [['pg', 'pg-*'], 'only shim/store speaks SQL'];
const dropIns = ['**/client/**', '**/worker/**', '**/workflow/**', '**/activity/**'];

export default tseslint.config(
  {
    ignores: [
      'lib/',
      '.branchline/',
      'node_modules/',
      '**/out/',
      'compat-tests/bench/peers/',
      '**/*.generated.ts',
      'codemod/**/fixtures/',
    ],
  },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    files: ['shim/**/*.ts', 'codemod/**/*.ts'],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // A lost promise is a lost error, and here a lost workflow.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
    },
  },
  {
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['shim/**/*.test.ts', 'codemod/**/*.test.ts'],
    languageOptions: { parserOptions: { projectService: false } },
    rules: { '@typescript-eslint/no-floating-promises': 'off', '@typescript-eslint/no-misused-promises': 'off' },
  },
  forbid(['shim/**/*.ts'], [nativeWorker]),
  forbid(
    ['codemod/**/*.ts'],
    [nativeWorker, noPg, [['**/shim/**', '../client/**', '../service/**'], 'the codemod knows nothing of the shim']],
  ),
  forbid(
    ['shim/core/**/*.ts'],
    [
      nativeWorker,
      noPg,
      [[...dropIns, '**/service/**', '**/store/**', 'node:*'], 'the core is pure: no service, no store, no I/O'],
    ],
  ),
  forbid(
    ['shim/service/engine/**/*.ts'],
    [
      nativeWorker,
      noPg,
      [
        [...dropIns, '**/store/**', '../runs/**', '../matching/**', '../transfers/**', 'node:*'],
        'the engine is pure: no store, no I/O',
      ],
    ],
  ),
  forbid(
    ['shim/service/*.ts', 'shim/service/{batch,runs,matching,schedules,transfers}/**/*.ts', 'shim/maintenance/**/*.ts'],
    [nativeWorker, noPg, [dropIns, 'the service does not know its callers']],
  ),
  forbid(
    ['shim/store/**/*.ts'],
    [nativeWorker, [[...dropIns, '**/runs/**', '**/matching/**'], 'the store is below the service']],
  ),
  forbid(['shim/{client,worker}/**/*.ts'], [nativeWorker, noPg]),
  forbid(['shim/cli/**/*.ts'], [nativeWorker, noPg]),
  forbid(
    ['shim/testing/**/*.ts'],
    [
      nativeWorker,
      noPg,
      [
        ['**/core/**', '**/service/**', '**/maintenance/**', '**/gateway/**', '**/cli/**', '**/store/sql/**'],
        'test environments are made of connections, clients and workers, as an application sees them',
      ],
    ],
  ),
  forbid(
    ['shim/router/**/*.ts'],
    [
      nativeWorker,
      noPg,
      [
        ['**/service/{engine,runs,matching,transfers,schedules,batch}/**', '**/maintenance/**'],
        'the router sees engines through their connections only',
      ],
    ],
  ),
  // Temporal's own worker, for the side that is on Temporal: loaded when it is asked for.
  { files: ['shim/router/official-worker.ts'], rules: { 'no-restricted-imports': 'off' } },
  forbid(['shim/gateway/**/*.ts'], [nativeWorker, noPg, [dropIns, 'the gateway sees the service only']]),
  {
    files: ['**/*.mjs'],
    languageOptions: { globals: { process: 'readonly', performance: 'readonly', console: 'readonly' } },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: {
      globals: {
        require: 'readonly',
        exports: 'writable',
        module: 'writable',
        process: 'readonly',
        __dirname: 'readonly',
        __filename: 'readonly',
      },
    },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  // Tests may hold us against the official packages.
  { files: ['**/*.test.ts'], rules: { 'no-restricted-imports': 'off' } },
);

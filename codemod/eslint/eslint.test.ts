/** The rules of branchline/eslint, and that they say what assess says. */
import { RuleTester } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, it } from 'vitest';
import plugin from './index';

RuleTester.describe = describe;
RuleTester.it = it;
const tester = new RuleTester({ languageOptions: { parser: tseslint.parser as never } });
const rule = (name: keyof typeof plugin.rules) => plugin.rules[name];
const error = (message: RegExp) => ({ message });
const head = `import * as wf from '@temporalio/workflow';\nimport { executeChild } from 'branchline/workflow';\nconst { act } = wf.proxyActivities({});\nconst acts = wf.proxyLocalActivities({});\n`;

tester.run('no-forbidden-import', rule('no-forbidden-import'), {
  valid: [
    `import type { Client } from '@temporalio/client';`,
    `import { type Client } from 'branchline/client';`,
    `import { URL } from 'node:url'; import './fs'; import { sleep } from 'branchline/workflow';`,
    `export type * from '@temporalio/worker';`,
  ],
  invalid: [
    { code: `import fs from 'fs';`, errors: [error(/fs is a module of Node's/)] },
    { code: `export * from 'node:crypto';`, errors: 1 },
    { code: `import { Client, type Connection } from '@temporalio/client';`, errors: [error(/use `import type`/)] },
    { code: `const a = () => import('branchline/worker'); require('pg');`, errors: 2 },
  ],
});

tester.run('no-nondeterminism', rule('no-nondeterminism'), {
  valid: [
    `export const now = Date.now() + Math.random(); setTimeout(() => {}, 1);`,
    `const process = { env: 1 }; process.env; function f(fetch) { fetch(); } const a = { fetch: 1 }.fetch;`,
  ],
  invalid: [
    { code: `export const a = () => process.env.A;`, errors: [error(/^process\.env: the process/)] },
    { code: `fetch('a'); crypto.randomUUID(); performance.now(); new WeakRef({}); setInterval(f, 1);`, errors: 5 },
  ],
});

tester.run('no-wide-fan-out', rule('no-wide-fan-out'), {
  valid: [
    `${head} for (const a of list) await act(a);`,
    `${head} await Promise.all([1, 2].map((n) => act(n)));`,
    `${head} list.map((a) => other(a));`,
  ],
  invalid: [
    { code: `${head} await Promise.all(list.map((a) => act(a)));`, errors: [error(/^activities at once: as many/)] },
    { code: `${head} await Promise.all(list.map(async (a) => { await acts.act(a); }));`, errors: 1 },
    {
      code: `${head} await Promise.all(list.flatMap((a) => executeChild('b', { args: [a] })));`,
      errors: [error(/^children/)],
    },
    {
      code: `${head} [1, 2, 3].forEach((a) => act(a));`,
      options: [{ max: 2 }],
      errors: [error(/once: 3 \(at most 2\)/)],
    },
  ],
});

tester.run('boundary', rule('boundary'), {
  valid: [
    {
      code: `${head} executeChild(signup, {}); wf.startChild('billing', {}); other(x);`,
      options: [{ types: ['signup', 'billing'] }],
    },
  ],
  invalid: [
    {
      code: `${head} executeChild(report, {}); wf.startChild(name(), {});`,
      options: [{ types: ['signup'] }],
      errors: [error(/^child report/), error(/not in the code/)],
    },
  ],
});

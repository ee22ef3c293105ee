/** Whatever way a file names Temporal's packages: there and there again is the same, and back is where it came from. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DROP_INS } from '../packages';
import { findMentions } from '../source/mentions';
import { noModules } from '../source/origins';
import { withParsed } from '../source/parse';
import { transformCode } from './index';

const door = fc.constantFrom(...DROP_INS);
const quote = fc.constantFrom("'", '"');
const specifier = fc.oneof(
  door.map((name) => `@temporalio/${name}`),
  fc.constantFrom(
    '@temporalio/common/lib/encoding',
    '@temporalio/worker/lib/worker',
    '@temporalio/envconfig',
    '@temporalio/client/lib/types',
    './local',
  ),
);
const quoted = fc.tuple(specifier, quote).map(([name, mark]) => mark + name + mark);
const identifier = fc.integer({ min: 0, max: 9999 }).map((number) => `n${number}`);

/** One statement each; `$` stands for a quoted specifier, `#` for a name. */
const forms = [
  'import { Client as # } from $',
  'import {\n  type Info as #, // why\n} from $',
  'import * as # from $',
  'import # from $',
  'import #, { Client as #b } from $',
  'import type { Client as # } from $',
  'import $',
  'import # = require($)',
  'export { Client as # } from $',
  'export * from $',
  'export * as # from $',
  'const # = require($)',
  'const { Client: # } = require($)',
  'const # = async () => (await import($)).Client',
  'const # = require.resolve($)',
  'type # = import($).Client',
  'let #: typeof import($)',
  'jest.mock($, () => ({}))',
  'vi.doMock($)',
  '/** @type {import($).Client} */\nconst # = null',
  'const # = [\n  1,\n  $,\n]',
  'const # = { a: $, [$]: 1 }',
  'const # = `a ${$} b\n  ${require($)}`',
  'mystery($); mystery($)',
  'function #() {\n\treturn mystery($) // says $\n}',
  '// eslint-disable-next-line\nmystery($)',
  'const # = /* $ */ 1',
  "import { Connection as # } from '@temporalio/client'; #.connect({ address: $, tls: { /* a */ } })",
  "import { NativeConnection as # } from '@temporalio/worker'\n#.connect({\n  address: 'a', // b\n  apiKey,\n  other: $\n})",
  "import { Connection as # } from '@temporalio/client'\nconst #o = { address: '*/', tls }\n#.connect(#o)",
  "import { Connection as # } from '@temporalio/client'\n#.connect(given)",
  'import($).then(({ Client: # }) => new #())',
  'const { Client: #, ...#rest } = require($)',
  'const # = require($)[name]',
  "import { Connection as # } from '@temporalio/client'; retry(#.connect, { address: 'a' }); make(#)",
  "import { WorkflowClient as # } from '@temporalio/client'\nclass #b extends # {}\nnew #({ connection: await require($).connect() })",
  "import { Runtime as # } from '@temporalio/worker'\n#.install({ telemetryOptions: { metrics: {} } })",
];
const statement = fc
  .tuple(fc.constantFrom(...forms), identifier, fc.array(quoted, { minLength: 6, maxLength: 6 }))
  .map(([form, name, names]) => {
    let next = 0;
    return form
      .replaceAll('#', name)
      .replaceAll('$', (at, offset: number) => (form[offset + 1] === '{' ? at : names[next++ % 6]!));
  });
const file = fc
  .record({
    statements: fc.array(statement, { maxLength: 8 }),
    end: fc.constantFrom(';', ''),
    newline: fc.constantFrom('\n', '\r\n'),
    between: fc.constantFrom('\n', '\n\n', '  \n', '\n// note\n', '\n/* a\n * b */\n'),
    shebang: fc.boolean(),
    last: fc.boolean(),
  })
  .map(({ statements, end, newline, between, shebang, last }) => {
    const body = statements.join(end + between) + (last ? `${end}\n` : '');
    return ((shebang ? '#!/usr/bin/env node\n' : '') + body).replaceAll('\n', newline);
  });

const run = (text: string, direction: 'forward' | 'reverse'): string =>
  transformCode('file.ts', text, { direction, modules: noModules }).text;

const routing = { routesFrom: () => 'branchline-routes.json', serves: () => undefined };
const runRouted = (text: string): string =>
  transformCode('file.ts', text, { direction: 'forward', modules: noModules, routing }).text;

const parses = (text: string): boolean => {
  try {
    return withParsed('file.ts', text, () => true);
  } catch {
    return false;
  }
};

it('goes there and back byte for byte, and only once', () => {
  fc.assert(
    fc.property(file, (before) => {
      fc.pre(parses(before));
      const there = run(before, 'forward');
      expect(run(there, 'forward')).toBe(there);
      expect(run(there, 'reverse')).toBe(before);
      const loaded = withParsed('file.ts', there, (parsed) =>
        findMentions(parsed, 'forward').filter(({ kind }) => kind === 'module'),
      );
      for (const { specifier: name } of loaded) expect(DROP_INS.map((one) => `@temporalio/${one}`)).not.toContain(name);
      // What is added are whole lines; no line between is lost.
      const markers = there.split('\n').filter((line) => /^\s*\/\/ @branchline-todo/.test(line)).length;
      expect(there.split('\n').length).toBe(before.split('\n').length + markers);
    }),
    { numRuns: 400 },
  );
}, 300_000);

it('does so where Temporal stays, too', () => {
  fc.assert(
    fc.property(file, (before) => {
      fc.pre(parses(before));
      const there = runRouted(before);
      expect(runRouted(there)).toBe(there);
      expect(run(there, 'reverse')).toBe(before);
    }),
    { numRuns: 300 },
  );
}, 300_000);

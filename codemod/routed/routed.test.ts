/** Temporal kept, Postgres beside it: each fixture there, there again, and back. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noModules } from '../source/origins';
import { transformCode } from '../transforms';

const folder = path.join(__dirname, 'fixtures');
const inputs = readdirSync(folder)
  .filter((name) => name.includes('.input.'))
  .sort();
const routing = {
  routesFrom: () => 'branchline-routes.json',
  serves: (_: string, specifier: string) => specifier === './workflows',
};
const forward = (name: string, text: string): string =>
  transformCode(name, text, { direction: 'forward', modules: noModules, routing }).text;
const reverse = (name: string, text: string): string =>
  transformCode(name, text, { direction: 'reverse', modules: noModules }).text;

describe.each(inputs)('%s', (name) => {
  const before = readFileSync(path.join(folder, name), 'utf8');
  const first = forward(name, before);

  it('becomes its output', async () => {
    await expect(first).toMatchFileSnapshot(path.join(folder, name.replace('.input.', '.output.')));
  });

  it('stays as it is the second time', () => {
    expect(forward(name, first)).toBe(first);
  });

  it('comes back byte for byte', () => {
    expect(reverse(name, first)).toBe(before);
  });

  it('does so with Windows line ends too', () => {
    const windows = before.replaceAll('\n', '\r\n');
    const there = forward(name, windows);
    expect(there).toBe(first.replaceAll('\n', '\r\n'));
    expect(reverse(name, there)).toBe(windows);
  });
});

it('keeps what was changed between there and back', () => {
  const before = `import { Connection } from '@temporalio/client';\nConnection.connect({ address: 'a' });\n`;
  const edited = forward('a.ts', before)
    .replace(`address: 'a'`, `address: 'b', tls: true`)
    .replace('postgres: {}', `postgres: { url: 'postgres://x' }`);
  expect(reverse('a.ts', edited)).toBe(before.replace(`address: 'a'`, `address: 'b', tls: true`));
});

const imported = fc.constantFrom(
  `import { Connection, Client } from '@temporalio/client'`,
  `import { Client, Connection as C } from "@temporalio/client"`,
  `import * as client from '@temporalio/client'`,
  `const { Connection } = require('@temporalio/client')`,
  `import { Worker } from '@temporalio/worker'`,
  `import { Worker as W, NativeConnection } from '@temporalio/worker'`,
  `import type { Worker as T } from '@temporalio/worker'`,
  `import client = require('@temporalio/client')`,
);
const used = fc.constantFrom(
  `const a# = await Connection.connect()`,
  `const a# = await C.connect({ address: 'a', /* b */ tls })`,
  `const a# = client.Connection.connect(\n  given(), // c\n)`,
  `const a# = new Client({ connection: await Connection.connect(x as never) })`,
  `let t#: Connection | undefined`,
  `let t#: client.Connection[] = []`,
  `async function f#(w: T): Promise<Worker> {\n\treturn Worker.create({\n\t\tconnection,\n\t\ttaskQueue\n\t})\n}`,
  `await (await W.create({ workflowsPath: './workflows', connection: await NativeConnection.connect({ address }) })).run()`,
  `const w# = await Worker.create({ taskQueue: 'q', workflowsPath: require.resolve('./others') })`,
  `Worker.create({})`,
  `Connection.lazy()`,
  `const a# = retry(Connection.connect); const b# = [Connection, Worker].map(make)`,
  `const { connect: c# } = Connection\nconst a# = c#({ address })`,
  `import('@temporalio/client').then(({ Connection: T# }) => T#.connect())`,
  `const a# = new Client({ connection: await NativeConnection.connect() })`,
  `const a# = [\n  new client.ScheduleClient(), // one\n  new client.WorkflowClient({ ...given }),\n]`,
  `class A# extends client.Client {\n\tconstructor() { super({ namespace: 'n' }) }\n}`,
  `const a# = client[given]`,
  `const { Client: A#, ...rest# } = require('@temporalio/client')`,
  `class S# {\n  private c!: Connection\n  make = async () => {\n    this.c = await Connection.connect()\n    return new Client({ connection: this.c })\n  }\n}`,
  `const a# = await Worker.create({ 'connection': given, ...more })`,
);
const program = fc
  .record({
    imports: fc.uniqueArray(imported, { maxLength: 4 }),
    uses: fc.array(used, { maxLength: 6 }),
    newline: fc.constantFrom('\n', '\r\n'),
    end: fc.constantFrom(';', ''),
    between: fc.constantFrom('\n', '\n\n', ' // note\n', '\n/* a\n */\n'),
    last: fc.constantFrom('', '\n'),
  })
  .map(({ imports, uses, newline, end, between, last }) =>
    ([...imports, ...uses.map((use, i) => use.replaceAll('#', String(i)))].join(end + between) + last).replaceAll(
      '\n',
      newline,
    ),
  );

it('goes there and back byte for byte, and only once, whatever way a file is written', () => {
  fc.assert(
    fc.property(program, fc.constantFrom('a.ts', 'a.mts', 'a.js'), (before, name) => {
      const there = forward(name, before);
      expect(forward(name, there)).toBe(there);
      expect(reverse(name, there)).toBe(before);
    }),
    { numRuns: 300 },
  );
}, 300_000);

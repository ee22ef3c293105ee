/** Runs one file of the suite by one way. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import type { Checkout } from './checkout';
import type { SuiteFile, Way } from './files';
import { type Databases, devServer, prepareDefaultSchema, withDefaultServer } from './servers';

/** What ava waits for the next test to end. */
const idleTimeout = '100s';
/** What a file may take; hanging ones end by ava's limit before. */
const fileTimeoutMs = 5 * 60_000;

export interface FileRun {
  checkout: Checkout;
  file: SuiteFile;
  way: Way;
  databases: Databases;
  /** compat-tests/core-bridge as one module. */
  coreBridge: string;
  /** Where what ava tells goes; its errors go beside it. */
  tapFile: string;
}

export async function runFile(run: FileRun): Promise<void> {
  const { file, way, databases } = run;
  await databases.with(async (url) => {
    const program = devServer(way);
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      BRANCHLINE_URL: url,
      // Where branchline/testing makes its environments.
      BRANCHLINE_TEST_URL: url,
      NODE_OPTIONS: `--require ${path.join(__dirname, 'hooks', hookOf[way])}`,
      BRANCHLINE_SUITE_CORE_BRIDGE: run.coreBridge,
      BRANCHLINE_SUITE_DEFAULT_SERVER: file.defaultServer ? '1' : '0',
      BRANCHLINE_SUITE_DEV_SERVER: program,
    };
    const ava = (): Promise<void> => startAva(run, env);
    if (way === 'drop-ins' && file.defaultServer) await prepareDefaultSchema(url);
    if (program === undefined || !file.defaultServer) return ava();
    return withDefaultServer(program, { ...process.env, BRANCHLINE_URL: url }, ava);
  });
}

const hookOf: Record<Way, string> = {
  real: 'dev-server.cjs',
  gateway: 'dev-server.cjs',
  core: 'core.cjs',
  'drop-ins': 'drop-ins.cjs',
};

async function startAva({ checkout, file, tapFile }: FileRun, env: NodeJS.ProcessEnv): Promise<void> {
  const ava = path.join(checkout.folder, 'node_modules/ava/entrypoints/cli.mjs');
  const args = [ava, '--tap', `--timeout=${idleTimeout}`, `lib/test-${file.name}.js`];
  const child = spawn(process.execPath, args, {
    cwd: checkout.testPackage,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.pipe(createWriteStream(tapFile));
  child.stderr.pipe(createWriteStream(tapFile.replace(/\.tap$/, '.err')));
  // With the process that runs the tests, and the servers it started.
  const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), fileTimeoutMs);
  await once(child, 'close');
  clearTimeout(timer);
}

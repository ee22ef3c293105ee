/**
 * `npm run compat:sdk-versions`: the drop-ins on the lowest supported version of Temporal's packages (everything else runs on the highest). A copy of
 * this repository in .branchline/sdk gets that version of all of them, Temporal's own client and worker included; it is built there, and the names
 * and options of the API, part of the tests and (with Temporal's CLI) the scenarios run. Results: compat-tests/out/sdk-versions.json.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { packages } from '../../test/types/surface';
import { findTemporalCli } from '../temporal-cli';
import type { VersionResult } from './result';

const root = path.resolve(__dirname, '../..');
const out = path.resolve(__dirname, '../out');

/** What depends on Temporal's packages most: their types, the runtime in its isolate, the core, client and worker end to end. */
const tests = ['test/types', 'test/worker', 'test/client', 'test/core', 'shim/core', 'shim/worker', 'shim/common'];
/** Compares commands with histories that the highest version recorded, stack traces with its line numbers included. */
const ofTheHighest = ['--exclude', 'test/core/recorded-histories.test.ts'];

function run(command: string, args: string[], cwd: string): boolean {
  return spawnSync(command, args, { cwd, stdio: 'inherit' }).status === 0;
}

function mustRun(command: string, args: string[], cwd: string): void {
  if (!run(command, args, cwd)) throw new Error(`${command} ${args.join(' ')} failed in ${cwd}`);
}

/** This repository as it is here. */
function copyTo(folder: string): void {
  const listed = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  for (const file of listed.stdout.toString().split('\0')) {
    if (file === '' || !existsSync(path.join(root, file))) continue;
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    copyFileSync(path.join(root, file), path.join(folder, file));
  }
}

/** Temporal's packages alone: what they need, and a copy of this repository needs too, is found in ours, in one copy. */
function install(folder: string, version: string): void {
  const packed = path.join(folder, 'packed');
  const installed = path.join(folder, 'node_modules');
  const names = [...new Set([...packages, 'proto', 'worker', 'testing'])].map(
    (name) => `@temporalio/${name}@${version}`,
  );
  rmSync(installed, { recursive: true, force: true });
  mkdirSync(packed, { recursive: true });
  mkdirSync(installed);
  writeFileSync(path.join(packed, 'package.json'), '{ "private": true }\n');
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  mustRun('npm', ['install', ...quiet, ...names], packed);
  renameSync(path.join(packed, 'node_modules/@temporalio'), path.join(installed, '@temporalio'));
  rmSync(packed, { recursive: true });
  for (const name of readdirSync(path.join(root, 'node_modules'))) {
    if (name === '@temporalio' || name.startsWith('.')) continue;
    symlinkSync(path.join(root, 'node_modules', name), path.join(installed, name));
  }
  // Copies of their own would make messages of one package strange to the next.
  for (const name of readdirSync(path.join(installed, '@temporalio'))) {
    rmSync(path.join(installed, '@temporalio', name, 'node_modules/protobufjs'), { recursive: true, force: true });
  }
}

interface Report {
  numPassedTests: number;
  numFailedTests: number;
}

/** Undefined when vitest did not come to its end. */
function vitest(folder: string, report: string, args: string[]): { passed: number; failed: number } | undefined {
  const file = path.join(folder, '.branchline', report);
  rmSync(file, { force: true });
  run(
    'npx',
    ['vitest', 'run', '--root', folder, ...args, '--reporter=dot', '--reporter=json', `--outputFile=${file}`],
    folder,
  );
  if (!existsSync(file)) return undefined;
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(file, 'utf8')) as Report;
  return { passed: numPassedTests, failed: numFailedTests };
}

function judge(version: string): VersionResult {
  const folder = path.join(root, '.branchline/sdk', version);
  rmSync(path.join(folder, 'lib'), { recursive: true, force: true });
  install(folder, version);
  copyTo(folder);
  mustRun('npx', ['tsc', '-b', '--force', 'tsconfig.json'], folder);
  const config = path.join(folder, 'compat-tests/scenarios/vitest.config.mts');
  return {
    version,
    date: new Date().toISOString().slice(0, 10),
    tests: vitest(folder, 'tests.json', [...tests, ...ofTheHighest]) ?? { passed: 0, failed: 1 },
    scenarios: findTemporalCli() === undefined ? undefined : vitest(folder, 'scenarios.json', ['--config', config]),
  };
}

function main(): void {
  const { temporal } = JSON.parse(readFileSync(path.join(root, 'compatibility.json'), 'utf8')) as {
    temporal: { lowestSdk: string };
  };
  const result = judge(temporal.lowestSdk);
  mkdirSync(out, { recursive: true });
  writeFileSync(path.join(out, 'sdk-versions.json'), `${JSON.stringify([result], null, 2)}\n`);
  console.log(JSON.stringify(result, null, 2));
  const failed = result.tests.failed + (result.scenarios?.failed ?? 0);
  process.exitCode = failed === 0 ? 0 : 1;
}

main();

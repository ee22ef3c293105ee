/**
 * Runs the test suites that folders of a temporalio/samples-typescript checkout have for themselves, on `branchline/testing`, with nothing changed
 * but import specifiers: `tsx compat-tests/samples/run-tests.ts <checkout> <scratch folder> [--write] [folder…]`. Installs Branchline as a package,
 * and what the samples ask for, into the scratch folder. Prints a table of what came of all folders, now or earlier; `--write` puts it into
 * docs/compatibility.md.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Outcomes } from './outcomes';
import { swap, swapped } from './swap';
import { testedSamples, type TestedSample } from './test-plan';

const root = path.resolve(__dirname, '../..');

interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  [field: string]: unknown;
}
const readManifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest;
const writeManifest = (folder: string, manifest: Manifest): void =>
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);

/** Neither what has a drop-in nor what only looks at the source. */
function needed(name: string): boolean {
  if (/eslint|prettier|nodemon/.test(name)) return false;
  return !swapped.some((one) => name === `@temporalio/${one}`);
}

/** Where a sample's own range does not do: undefined elsewhere. */
function versionOf(name: string): string | undefined {
  // The sample is written for 1.20, which not every registry has; 1.22 has other entry points.
  if (name === '@temporalio/ai-sdk') return '>=1.17.0 <1.22.0';
  // That which `ai` brings along: two of them at once are more types than the compiler takes (TS2589), moved or not.
  if (name === 'zod') return '^4.1.8';
  // Temporal's packages that have no drop-in: as new as the SDK whose drop-ins they meet.
  if (name.startsWith('@temporalio/')) return '^1.22.0';
  // That of the samples' lock file; later ones hide the types of mocha and jest.
  return name === '@tsconfig/node22' ? '22.0.0' : undefined;
}

/** What the samples' other packages of Temporal's bring along must be the one copy that Branchline has. */
function oneCopy(): Record<string, string> {
  const { dependencies = {}, devDependencies = {} } = readManifest(root);
  const all = Object.entries({ ...dependencies, ...devDependencies });
  return Object.fromEntries(all.filter(([name]) => name.startsWith('@temporalio/')));
}

/** `@temporalio/worker` in types is ours; at run time nothing asks for it. */
function mapWorkerTypes(folder: string, scratch: string): void {
  const file = path.join(folder, 'tsconfig.json');
  const config = JSON.parse(readFileSync(file, 'utf8')) as { compilerOptions: object };
  const types = path.join(scratch, 'node_modules/branchline/lib/worker/index.d.ts');
  config.compilerOptions = { ...config.compilerOptions, paths: { '@temporalio/worker': [types] } };
  writeFileSync(file, JSON.stringify(config, null, 2));
}

function withoutSwapped(manifest: Manifest): Manifest {
  const kept = (all: Record<string, string> = {}): Record<string, string> =>
    Object.fromEntries(
      Object.entries(all)
        .filter(([name]) => needed(name))
        .map(([name, version]) => [name, versionOf(name) ?? version]),
    );
  return { ...manifest, dependencies: kept(manifest.dependencies), devDependencies: kept(manifest.devDependencies) };
}

function command(words: string, cwd: string): { ended: number | null; output: string } {
  const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', CI: 'true' };
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', `exec ${words}`], {
    cwd,
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: 15 * 60_000,
  });
  return { ended: status, output: stdout + stderr };
}

/** One installation for all: each sample is a workspace, so that versions they do not agree on are there beside each other. */
function prepare(checkout: string, scratch: string, samples: readonly TestedSample[]): void {
  mkdirSync(scratch, { recursive: true });
  // What an earlier run with other samples has left at the top would change what these find.
  for (const left of ['node_modules', 'package-lock.json'])
    rmSync(path.join(scratch, left), { recursive: true, force: true });
  const packed = command(`npm pack --silent --pack-destination ${scratch}`, root);
  if (packed.ended !== 0) throw new Error(`npm pack: ${packed.output}`);
  for (const { folder, workerTypes } of samples) {
    const copy = path.join(scratch, folder);
    rmSync(copy, { recursive: true, force: true });
    cpSync(path.join(checkout, folder), copy, { recursive: true });
    writeManifest(copy, withoutSwapped(readManifest(copy)));
    swap(copy);
    if (workerTypes) mapWorkerTypes(copy, scratch);
  }
  const { version } = readManifest(root);
  const copies = oneCopy();
  writeManifest(scratch, {
    private: true,
    workspaces: samples.map(({ folder }) => folder),
    dependencies: {
      branchline: `file:branchline-${String(version)}.tgz`,
      ...(samples.some(({ webpack }) => webpack) ? { '@temporalio/worker': copies['@temporalio/worker'] } : {}),
    },
    overrides: copies,
  });
  const installed = command('npm install --no-audit --no-fund --ignore-scripts --legacy-peer-deps', scratch);
  if (installed.ended !== 0) throw new Error(`npm install: ${installed.output}`);
}

/** Keeps the shared Postgres up between the folders: mocha gives a first environment two seconds, which are soon gone on a busy machine. */
function keepServer(scratch: string): ChildProcess {
  const script = `require('branchline/testing').TestWorkflowEnvironment.createLocal().then(() => setInterval(() => {}, 1000));`;
  return spawn(process.execPath, ['-e', script], { cwd: scratch, stdio: 'ignore' });
}

/** What mocha ("3 passing") and jest ("Tests: 1 failed, 2 passed, 3 total") say. */
function counted(output: string, word: 'pass' | 'fail' | 'pend'): number {
  const told = output.matchAll(new RegExp(`^\\s*(?:(\\d+) ${word}ing|Tests:.*?(\\d+) ${word}ed)`, 'gm'));
  return [...told].reduce((sum, [, mocha, jest]) => sum + Number(mocha ?? jest), 0);
}

function runSample({ folder, commands = ['npm test'] }: TestedSample, scratch: string): string {
  let all = '';
  for (const words of commands) {
    const { ended, output } = command(words, path.join(scratch, folder));
    all += output;
    if (ended !== 0) {
      console.error(`${folder}: '${words}' ended with ${ended}\n${output.slice(-6000)}`);
      return `failed: ${counted(all, 'pass')} passed, ${counted(all, 'fail')} failed`;
    }
  }
  const [passed, pending] = [counted(all, 'pass'), counted(all, 'pend')];
  return `passed: ${passed} tests${pending === 0 ? '' : `, ${pending} left out by the sample itself`}`;
}

function main(): void {
  const { values, positionals } = parseArgs({ options: { write: { type: 'boolean' } }, allowPositionals: true });
  const [checkout, scratchFolder, ...only] = positionals;
  if (checkout === undefined || scratchFolder === undefined) {
    throw new Error('usage: tsx compat-tests/samples/run-tests.ts <checkout> <scratch folder> [--write] [folder…]');
  }
  const scratch = path.resolve(scratchFolder);
  const asked = testedSamples.filter(({ folder }) => only.length === 0 || only.includes(folder));
  const there = asked.filter(({ folder, skip }) => skip === undefined && existsSync(path.join(checkout, folder)));
  prepare(checkout, scratch, there);
  const outcomes = new Outcomes('sample-tests');
  const keeper = keepServer(scratch);
  for (const sample of there) {
    const outcome = runSample(sample, scratch);
    console.error(`${sample.folder}: ${outcome}`);
    outcomes.record(sample.folder, outcome);
    if (outcome.startsWith('failed')) process.exitCode = 1;
  }
  keeper.kill();
  const section = 'sample tests: written by compat-tests/samples/run-tests.ts';
  outcomes.tell(testedSamples, values.write ? section : undefined);
}

main();

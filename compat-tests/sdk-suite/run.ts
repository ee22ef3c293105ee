/**
 * Runs the SDK's own test suite over a checkout of it.
 * `npm run compat:sdk`: every file by every way, in one pass: says how many minutes it will take, goes on where the last one was broken off,
 * and runs once more what failed of no listed reason. `--minutes 30` starts nothing that would end later; `--fresh` forgets a broken pass.
 * `npm run compat:sdk -- [--way gateway] … [file …]`: these alone. `--collect` runs nothing and reads again what ava told last.
 * Results: compat-tests/sdk-suite.results.json, compat-tests/out/sdk-suite.json and the tables of compat-tests/sdk-suite.md.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { findCheckout, type Checkout } from './checkout';
import { files, ways, type Way } from './files';
import { unlisted } from './listed';
import { expectedMinutes, Pass, type Work } from './pass';
import { readResults, total, writeResults, type Results } from './results';
import { Databases } from './servers';
import { writeTable } from './table';
import { type FileOutcome, readTap } from './tap';
import { runFile } from './test-file';

const out = path.resolve(__dirname, '../out');

/** compat-tests/core-bridge as one module that uses what `npm run build` made of the shim. */
async function bundleCoreBridge(): Promise<string> {
  const outfile = path.join(out, 'sdk-suite/core-bridge.cjs');
  const lib = path.resolve(__dirname, '../../lib');
  await build({
    entryPoints: [path.resolve(__dirname, '../core-bridge/index.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    packages: 'external',
    plugins: [
      {
        name: 'built shim',
        setup: ({ onResolve }) => {
          onResolve({ filter: /^\.\.\/\.\.\/shim\// }, ({ path: module }) => ({
            path: path.join(lib, module.slice('../../shim/'.length)),
            external: true,
          }));
        },
      },
    ],
  });
  return outfile;
}

function versions(checkout: Checkout): Record<string, string> {
  const own = JSON.parse(readFileSync(path.resolve(__dirname, '../../package.json'), 'utf8')) as { version: string };
  return { branchline: own.version, sdk: checkout.sdkVersion, node: process.version };
}

interface Asked {
  checkout: Checkout;
  work: Work[];
  /** Undefined when files were named. */
  pass: Pass | undefined;
  collectOnly: boolean;
  /** Point in time, ms since the epoch. */
  until: number;
}

/** Where what ava tells of a file goes. */
function tapFileOf({ way, file }: Work): string {
  const folder = path.join(out, 'sdk-suite', way);
  mkdirSync(folder, { recursive: true });
  return path.join(folder, `${file.name}.tap`);
}

/** False when the time ran out. */
async function runAll({ checkout, work, pass, until }: Asked): Promise<boolean> {
  const coreBridge = await bundleCoreBridge();
  const databases = await Databases.start();
  const run = async (one: Work): Promise<void> => {
    process.stdout.write(`${one.way.padEnd(9)} ${one.file.name.padEnd(45)} `);
    const started = Date.now();
    await runFile({ ...one, checkout, databases, coreBridge, tapFile: tapFileOf(one) });
    const seconds = Math.ceil((Date.now() - started) / 1000);
    const { passed, failed } = record(one, checkout, seconds);
    console.log(`${passed} passed, ${failed.length} failed, ${seconds} s`);
  };
  const fits = (one: Work): boolean => Date.now() + 60_000 * expectedMinutes(readResults(), [one]) <= until;
  try {
    for (const one of work) {
      if (pass?.isDone(one)) continue;
      if (!fits(one)) return false;
      await run(one);
      pass?.add(one);
    }
    const again = work.filter(failsUnlisted);
    if (again.length > 0) console.log('Once more, what failed of no listed reason:');
    for (const one of again) {
      if (!fits(one)) return false;
      await run(one);
    }
    pass?.end();
    return true;
  } finally {
    await databases.stop();
  }
}

function failsUnlisted({ way, file }: Work): boolean {
  return unlisted(readResults()).some((one) => one.way === way && one.file === file.name);
}

function readArguments(): Asked {
  const { values, positionals: names } = parseArgs({
    options: {
      way: { type: 'string', multiple: true },
      minutes: { type: 'string' },
      fresh: { type: 'boolean', default: false },
      collect: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  const asked = (values.way ?? ways.filter((way) => way !== 'real')) as Way[];
  const wrong = asked.filter((way) => !ways.includes(way));
  if (wrong.length > 0) throw new Error(`There is no way ${wrong.join(', ')}: take ${ways.join(', ')}.`);
  const unknown = names.filter((name) => !files.some((file) => file.name === name));
  if (unknown.length > 0)
    throw new Error(`Not among the files of compat-tests/sdk-suite/files.ts: ${unknown.join(', ')}`);
  const minutes = values.minutes === undefined ? Infinity : Number(values.minutes);
  if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes} is no number of minutes.`);
  const pass = names.length > 0 || values.collect ? undefined : new Pass(path.join(out, 'sdk-suite/pass.json'));
  if (values.fresh) pass?.end();
  const work = asked.flatMap((way) =>
    files
      .filter(
        ({ name, notApplicable }) => notApplicable[way] === undefined && (names.length === 0 || names.includes(name)),
      )
      .map((file) => ({ way, file })),
  );
  return {
    checkout: findCheckout(),
    work,
    pass,
    collectOnly: values.collect,
    until: Date.now() + minutes * 60_000,
  };
}

async function main(): Promise<void> {
  const asked = readArguments();
  if (asked.collectOnly) {
    for (const one of asked.work.filter((each) => existsSync(tapFileOf(each)))) record(one, asked.checkout);
  } else {
    const left = asked.work.filter((one) => asked.pass?.isDone(one) !== true);
    const minutes = Math.ceil(expectedMinutes(readResults(), left));
    console.log(`${left.length} files of ${asked.work.length}, about ${minutes} minutes by what they took last.`);
    if (!(await runAll(asked))) {
      console.log('The time is up: run it again to go on.');
      process.exitCode = 2;
    }
  }
  summarise(readResults());
  const strange = unlisted(readResults());
  for (const { way, file, title } of strange)
    console.error(`not listed in compatibility.json: ${way}, ${file}: ${title}`);
  if (strange.length > 0) process.exitCode = 1;
}

/** Written after each file. */
function record({ way, file }: Work, checkout: Checkout, took?: number): FileOutcome {
  const results = readResults();
  const seconds = took ?? results[way]?.files[file.name]?.seconds;
  const told = readTap(readFileSync(tapFileOf({ way, file }), 'utf8'));
  const outcome = { ...told, ...(seconds === undefined ? {} : { seconds }) };
  const outcomes = { ...results[way]?.files, [file.name]: outcome };
  const sorted = Object.fromEntries(Object.entries(outcomes).sort(([a], [b]) => (a < b ? -1 : 1)));
  const date = new Date().toISOString().slice(0, 10);
  writeResults({ ...results, [way]: { date, versions: versions(checkout), files: sorted } });
  return outcome;
}

function summarise(results: Results): void {
  const totals = Object.fromEntries(ways.map((way) => [way, total(results, way)] as const));
  for (const [way, { files: count, passed, failed, percent }] of Object.entries(totals)) {
    console.log(`${way.padEnd(9)} ${count} files, ${passed} tests passed, ${failed} failed: ${percent.toFixed(1)} %`);
  }
  writeFileSync(path.join(out, 'sdk-suite.json'), `${JSON.stringify({ totals, results }, null, 2)}\n`);
  writeTable(results);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});

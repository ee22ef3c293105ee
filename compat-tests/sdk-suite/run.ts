/**
 * Runs the SDK's own test suite over a checkout of it: `npm run compat:sdk -- [--way gateway] [--way core] … [file …]`; without files, all of
 * them. `--missing` leaves out files that have a result. `--collect` runs nothing and reads again what ava told last. Results:
 * compat-tests/sdk-suite.results.json, compat-tests/out/sdk-suite.json and the tables of compat-tests/sdk-suite.md.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { findTemporalCli } from '../temporal-cli';
import { findCheckout, type Checkout } from './checkout';
import { files, ways, type SuiteFile, type Way } from './files';
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
  ways: Way[];
  names: string[];
  missingOnly: boolean;
}

/** Where what ava tells of a file goes. */
function tapFileOf(way: Way, { name }: SuiteFile): string {
  const folder = path.join(out, 'sdk-suite', way);
  mkdirSync(folder, { recursive: true });
  return path.join(folder, `${name}.tap`);
}

async function runAll(asked: Asked): Promise<void> {
  const { checkout } = asked;
  const coreBridge = await bundleCoreBridge();
  const databases = await Databases.start();
  try {
    for (const way of asked.ways) {
      for (const file of files.filter((one) => isAsked(one, way, asked))) {
        process.stdout.write(`${way.padEnd(9)} ${file.name.padEnd(45)} `);
        const tapFile = tapFileOf(way, file);
        await runFile({ checkout, file, way, databases, coreBridge, tapFile });
        const { passed, failed } = record(way, file, checkout);
        console.log(`${passed} passed, ${failed.length} failed`);
      }
    }
  } finally {
    await databases.stop();
  }
}

function collect(asked: Asked): void {
  for (const way of asked.ways) {
    const told = files.filter((file) => isAsked(file, way, asked) && existsSync(tapFileOf(way, file)));
    for (const file of told) record(way, file, asked.checkout);
  }
}

function readArguments(): Asked & { collectOnly: boolean } {
  const { values, positionals: names } = parseArgs({
    options: {
      way: { type: 'string', multiple: true },
      missing: { type: 'boolean', default: false },
      collect: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  const asked = (values.way ?? ways.filter((way) => way !== 'real' || findTemporalCli() !== undefined)) as Way[];
  const wrong = asked.filter((way) => !ways.includes(way));
  if (wrong.length > 0) throw new Error(`There is no way ${wrong.join(', ')}: take ${ways.join(', ')}.`);
  const unknown = names.filter((name) => !files.some((file) => file.name === name));
  if (unknown.length > 0)
    throw new Error(`Not among the files of compat-tests/sdk-suite/files.ts: ${unknown.join(', ')}`);
  return { checkout: findCheckout(), ways: asked, names, missingOnly: values.missing, collectOnly: values.collect };
}

async function main(): Promise<void> {
  const asked = readArguments();
  if (asked.collectOnly) collect(asked);
  else await runAll(asked);
  summarise(readResults());
}

function isAsked(file: SuiteFile, way: Way, { names, missingOnly }: Asked): boolean {
  if (file.notApplicable[way] !== undefined) return false;
  if (missingOnly && readResults()[way]?.files[file.name] !== undefined) return false;
  return names.length === 0 || names.includes(file.name);
}

/** Written after each file: a run that is broken off goes on with `--missing`. */
function record(way: Way, file: SuiteFile, checkout: Checkout): FileOutcome {
  const outcome = readTap(readFileSync(tapFileOf(way, file), 'utf8'));
  const results = readResults();
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

/** What the runs came to: compat-tests/sdk-suite.results.json, written here and nowhere else. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { files, type Way } from './files';
import type { FileOutcome } from './tap';

export interface WayResults {
  date: string;
  versions: Record<string, string>;
  files: Record<string, FileOutcome>;
}

export type Results = Partial<Record<Way, WayResults>>;

export const resultsFile = path.resolve(__dirname, '../sdk-suite.results.json');

export function readResults(): Results {
  return existsSync(resultsFile) ? (JSON.parse(readFileSync(resultsFile, 'utf8')) as Results) : {};
}

export function writeResults(results: Results): void {
  writeFileSync(resultsFile, `${JSON.stringify(results, null, 2)}\n`);
}

/** One file by one way, against what passes on a real server. */
export interface Judgement {
  passed: number;
  /** Tests that pass on a real server and not by this way. */
  failed: string[];
  /** Of those, tests of which nothing was told: their file broke off. */
  missing: number;
}

/** Undefined when the way was not run or says nothing about this file. */
export function judge(results: Results, way: Way, file: string): Judgement | undefined {
  const found = results[way]?.files[file];
  if (found === undefined) return undefined;
  const real = results.real?.files[file];
  if (real === undefined || way === 'real') return { ...found, missing: 0 };
  const notOnReal = new Set(real.failed);
  const failed = found.failed.filter((title) => !notOnReal.has(title));
  const told = found.passed + found.failed.length;
  const missing = Math.max(0, real.passed + real.failed.length - told);
  const passed = Math.max(0, Math.min(found.passed, real.passed - failed.length - missing));
  return { passed, failed, missing };
}

export interface Total {
  files: number;
  passed: number;
  failed: number;
  /** Share of the tests that pass on a real server, in percent. */
  percent: number;
}

export function total(results: Results, way: Way): Total {
  const judged = files.flatMap(({ name, notApplicable }) =>
    notApplicable[way] === undefined ? (judge(results, way, name) ?? []) : [],
  );
  const passed = judged.reduce((sum, one) => sum + one.passed, 0);
  const failed = judged.reduce((sum, one) => sum + one.failed.length + one.missing, 0);
  return { files: judged.length, passed, failed, percent: (100 * passed) / Math.max(1, passed + failed) };
}

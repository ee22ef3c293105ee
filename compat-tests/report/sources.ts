/** What the judges left in compat-tests/out: one file each, written by the run itself. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readResults, total, type Total } from '../sdk-suite/results';
import type { VersionResult } from '../sdk-versions/result';
import { ways, type Way } from '../sdk-suite/files';

const out = join(__dirname, '../out');

/** Undefined when the judge was not run here. */
function read<T>(file: string): { value: T; date: string } | undefined {
  const path = join(out, file);
  if (!existsSync(path)) return undefined;
  return {
    value: JSON.parse(readFileSync(path, 'utf8')) as T,
    date: statSync(path).mtime.toISOString().slice(0, 10),
  };
}

export const scenarios = () =>
  read<{ name: string; outcome: 'equal' | 'listed' | 'failing'; differences: string[] }[]>('scenarios.json');

export const commands = () => read<{ command: string; outcome: 'works' | 'refused' | 'failing' }[]>('cli.json');

export const pages = () => read<{ date: string; pages: { name: string; outcome: string }[] }>('ui.json');

interface Covered {
  all: number;
  supported: number;
  deviates: number;
  refused: number;
}
export const api = () =>
  read<{ sdk: string; packages: Record<string, { names: Covered; options: Covered }> }>('api.json');

export function lowestSdk(): string {
  const file = join(__dirname, '../../compatibility.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { temporal: { lowestSdk: string } }).temporal.lowestSdk;
}

export const sdkVersions = () => read<VersionResult[]>('sdk-versions.json');

/** By way; from the committed results, since the SDK's repository is seldom at hand. */
export function sdkSuite(): { way: Way; date: string; versions: Record<string, string>; total: Total }[] {
  const results = readResults();
  return ways.flatMap((way) => {
    const one = results[way];
    return one === undefined ? [] : [{ way, date: one.date, versions: one.versions, total: total(results, way) }];
  });
}

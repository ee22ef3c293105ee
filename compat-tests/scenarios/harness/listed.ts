/** The differences that we choose: the part `differences` of compatibility.json. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Difference } from './compare';

export interface ListedDifference {
  id: string;
  /** Names of scenarios, `*` for any text. All when left out. */
  scenarios?: string[];
  /** Paths of compare.ts, `*` for any text. None when left out. */
  where?: string[];
  /** Tests of the SDK's own suite that fail of it, `file: title`, `*` for any text (compat-tests/sdk-suite/listed.ts). */
  sdkSuite?: string[];
  /** A run without it is no news: it depends on who is quicker, or on a version, or another test knows of it. */
  sometimes?: boolean;
  reason: string;
}

export function listedDifferences(): ListedDifference[] {
  const file = join(__dirname, '../../../compatibility.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { differences: ListedDifference[] }).differences;
}

/** The first entry that covers a difference. */
export function listedFor(
  listed: ListedDifference[],
  scenario: string,
  { path }: Difference,
): ListedDifference | undefined {
  return listed.find(
    ({ scenarios = ['*'], where = [] }) =>
      scenarios.some((pattern) => matches(pattern, scenario)) && where.some((pattern) => matches(pattern, path)),
  );
}

export function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(text);
}

/** What the report of a package.json says, and what is asked for when no record tells. */
import { compatibility } from './compatibility';
import type { FileReport } from './file-report';
import { DROP_INS } from './packages';
import { type Dependencies, olderThan, type PackageResult } from './transforms/package-json';

/** Without a record of the move: what the code imports, in the version that Branchline stands for. */
export function guessed(needed: ReadonlySet<string> = new Set()): Dependencies {
  const names = DROP_INS.map((door) => `@temporalio/${door}`).filter((name) => needed.has(name));
  return { dependencies: Object.fromEntries(names.map((name) => [name, `^${compatibility().temporal.sdk}`])) };
}

/** Said once for a package.json: Temporal's packages have one version. */
export function tooOld(file: string, text: string): FileReport['notes'] {
  const { lowestSdk, sdk } = compatibility().temporal;
  const [first] = olderThan(file, text, lowestSdk);
  if (first === undefined) return [];
  const reason = `${first.name} is asked for as ${first.range}: Branchline stands for ${lowestSdk} to ${sdk}; bring Temporal's packages up to that first, and see that all runs as before`;
  return [{ line: first.line, reason }];
}

export function spoken({ removed, added }: PackageResult): string {
  const names = (all: Dependencies): string[] => Object.values(all).flatMap((section) => Object.keys(section));
  return [...names(removed).map((name) => `-${name}`), ...names(added).map((name) => `+${name}`)].join(' ');
}

/** Why tests of the suite fail that pass on a real server: entries of the part `differences` of compatibility.json, as for the scenarios. */
import { listedDifferences, matches, type ListedDifference } from '../scenarios/harness/listed';
import { files, type Way, ways } from './files';
import { judge, type Results } from './results';

/** What a file that broke off left out is listed under. */
export const notReached = 'not reached';

/** The entry that covers a failing test: `sdkSuite` holds `file: title`, `*` for any text. */
export function listedTest(file: string, title: string): ListedDifference | undefined {
  const name = `${file}: ${title}`;
  return listedDifferences().find(({ sdkSuite = [] }) => sdkSuite.some((pattern) => matches(pattern, name)));
}

export interface Failing {
  way: Way;
  file: string;
  title: string;
}

/** Every test that passes on a real server and not by a way that counts it. */
export function failing(results: Results): Failing[] {
  return ways
    .filter((way) => way !== 'real')
    .flatMap((way) =>
      files.flatMap(({ name: file, notApplicable }) => {
        const found = notApplicable[way] === undefined ? judge(results, way, file) : undefined;
        if (found === undefined) return [];
        const titles = [...new Set(found.failed), ...(found.missing > 0 ? [notReached] : [])];
        return titles.map((title) => ({ way, file, title }));
      }),
    );
}

export const unlisted = (results: Results): Failing[] =>
  failing(results).filter(({ file, title }) => listedTest(file, title) === undefined);

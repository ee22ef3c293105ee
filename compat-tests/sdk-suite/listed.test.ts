import { expect, it } from 'vitest';
import { listedDifferences, matches } from '../scenarios/harness/listed';
import { failing, unlisted } from './listed';
import { readResults } from './results';

const results = readResults();

it('every failure of the last results is listed in compatibility.json', () => {
  expect(unlisted(results)).toEqual([]);
});

it('no failure is listed that no longer occurs', () => {
  const names = failing(results).map(({ file, title }) => `${file}: ${title}`);
  const lasting = listedDifferences().filter(({ sometimes }) => sometimes !== true);
  const patterns = lasting.flatMap(({ sdkSuite = [] }) => sdkSuite);
  expect(patterns.filter((pattern) => !names.some((name) => matches(pattern, name)))).toEqual([]);
});

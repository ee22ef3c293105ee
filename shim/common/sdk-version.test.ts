import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { checkInstalledSdk, requireSupportedSdk, supportedSdk } from './sdk-version';

const refusal = expect.objectContaining({ code: 'BRANCHLINE_SDK_VERSION' }) as Error;

it.each(['1.23.0', '1.24.0', '1.24.7'])('%s is supported', (version) => {
  expect(() => requireSupportedSdk('@temporalio/client', version)).not.toThrow();
});

it.each(['0.24.0', '1.8.6', '1.22.0', '1.25.0', '2.23.0'])('%s is refused', (version) => {
  expect(() => requireSupportedSdk('@temporalio/client', version)).toThrow(refusal);
});

it('looks at every package that the drop-ins use', () => {
  expect(() => checkInstalledSdk()).not.toThrow();
  const oldActivity = (name: string): string => (name === '@temporalio/activity' ? '1.22.0' : '1.24.0');
  expect(() => checkInstalledSdk(oldActivity)).toThrow(/^@temporalio\/activity 1\.22\.0 is not supported/);
});

it('says what package.json and compatibility.json say', () => {
  const read = <T>(file: string): T => JSON.parse(readFileSync(path.resolve(__dirname, '../..', file), 'utf8')) as T;
  const { dependencies } = read<{ dependencies: Record<string, string> }>('package.json');
  const ranges = Object.entries(dependencies).filter(([name]) => name.startsWith('@temporalio/'));
  const [lowest, below] = [supportedSdk.lowest, supportedSdk.below].map((version) => `${version.join('.')}.0`);
  expect(new Set(ranges.map(([, range]) => range))).toEqual(new Set([`>=${lowest} <${below}`]));
  expect(read<{ temporal: { lowestSdk: string } }>('compatibility.json').temporal.lowestSdk).toBe(lowest);
});

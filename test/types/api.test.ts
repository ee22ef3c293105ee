/** Every name, option and member that Temporal's packages offer, the drop-ins offer too, or compatibility.json says why not. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { packages, readCompatibility, readSurfaces, type Surface } from './surface';

type Status = 'supported' | 'deviates' | 'refused';

const compatibility = readCompatibility();
const surfaces = readSurfaces();

/** compatibility.json lists the options of these types under the call that takes them. */
const takenBy: Record<string, string> = {
  ConnectionOptions: 'Connection.connect',
  ClientOptions: 'Client',
  NativeConnectionOptions: 'NativeConnection.connect',
};

function statusOf(packageName: string, name: string): Status {
  const [type = '', option] = name.split('.');
  const listed =
    compatibility.apis[`@temporalio/${packageName}`]?.[name] ??
    (option === undefined ? undefined : compatibility.options[takenBy[type] ?? type]?.[option]);
  return (listed?.status ?? 'supported') as Status;
}

function count(packageName: string, names: readonly string[]): Record<'all' | Status, number> {
  const counts = { all: names.length, supported: 0, deviates: 0, refused: 0 };
  for (const name of names) counts[statusOf(packageName, name)] += 1;
  return counts;
}

describe.each(packages)('branchline/%s', (name) => {
  const surface: Surface = surfaces.get(name)!;

  it("has every name and option of Temporal's, of types that take what Temporal's take", () => {
    expect(surface.names.length).toBeGreaterThan(0);
    const unexplained = surface.differences.filter((one) => statusOf(name, one.name) === 'supported');
    expect(unexplained).toEqual([]);
  });

  it('knows no name in compatibility.json that Temporal does not have', () => {
    const theirs = new Set(surface.names);
    const listed = Object.keys(compatibility.apis[`@temporalio/${name}`] ?? {}).map((one) => one.split('.')[0]!);
    const ofOurOwn = new Set(['*', 'BranchlineError', 'BranchlineOptionError']);
    expect(listed.filter((one) => !theirs.has(one) && !ofOurOwn.has(one))).toEqual([]);
  });
});

// The figures of docs/compatibility.md.
afterAll(() => {
  const counts = packages.map((name) => {
    const { names, options } = surfaces.get(name)!;
    return [name, { names: count(name, names), options: count(name, options) }] as const;
  });
  const out = join(__dirname, '../../compat-tests/out');
  mkdirSync(out, { recursive: true });
  const report = { sdk: compatibility.temporal.sdk, packages: Object.fromEntries(counts) };
  writeFileSync(join(out, 'api.json'), `${JSON.stringify(report, null, 2)}\n`);
});

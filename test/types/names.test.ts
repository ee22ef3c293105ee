/** Every name that Temporal's packages export, values and types, is exported by the drop-ins too. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = join(__dirname, '../..');
const packages = ['client', 'worker', 'workflow', 'activity', 'common'] as const;
const official = (name: string): string => join(root, `node_modules/@temporalio/${name}/lib/index.d.ts`);
const ours = (name: string): string => join(root, `shim/${name}/index.ts`);

const program = ts.createProgram(
  packages.flatMap((name) => [official(name), ours(name)]),
  {
    module: ts.ModuleKind.Node16,
    moduleResolution: ts.ModuleResolutionKind.Node16,
    target: ts.ScriptTarget.ES2022,
    types: ['node'],
    skipLibCheck: true,
  },
);
const checker = program.getTypeChecker();

/** The exported names of a module. */
function names(file: string): string[] {
  const symbol = checker.getSymbolAtLocation(program.getSourceFile(file)!);
  return checker.getExportsOfModule(symbol!).map(({ name }) => name);
}

const compatibility = JSON.parse(readFileSync(join(root, 'compatibility.json'), 'utf8')) as {
  apis: Record<string, Record<string, { status: string }>>;
};

describe.each(packages)('branchline/%s', (name) => {
  it("exports every name of Temporal's", () => {
    const known = compatibility.apis[`@temporalio/${name}`] ?? {};
    const exported = new Set(names(ours(name)));
    const missing = names(official(name)).filter((one) => !exported.has(one) && known[one]?.status !== 'refused');
    expect(missing).toEqual([]);
  });

  it('knows no name in compatibility.json that Temporal does not have', () => {
    const theirs = new Set(names(official(name)));
    const listed = Object.keys(compatibility.apis[`@temporalio/${name}`] ?? {}).map((one) => one.split('.')[0]!);
    const ofOurOwn = new Set(['*', 'BranchlineError', 'BranchlineOptionError']);
    expect(listed.filter((one) => !theirs.has(one) && !ofOurOwn.has(one))).toEqual([]);
  });
});

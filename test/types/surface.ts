/** The public surface of Temporal's packages beside that of our drop-ins: every exported name, and every member of what is not the original. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const root = join(__dirname, '../..');

/** A drop-in is compared from the day it exists. */
export const packages = ['client', 'worker', 'workflow', 'activity', 'common', 'testing', 'envconfig'].filter((name) =>
  existsSync(join(root, `shim/${name}/index.ts`)),
);

/** `name` is `X` for an export and `X.y` for an option or member of it. */
export interface Difference {
  name: string;
  what: 'missing' | 'not assignable';
}

export interface Surface {
  /** Every exported name of Temporal's package. */
  names: string[];
  /** Every `Options.option` of its exported options types. */
  options: string[];
  differences: Difference[];
}

const flags = ts.SymbolFlags;
const isType = (symbol: ts.Symbol): boolean => (symbol.flags & (flags.Interface | flags.TypeAlias | flags.Class)) !== 0;
const isValue = (symbol: ts.Symbol): boolean => (symbol.flags & flags.Value) !== 0;
const isOptionsType = (name: string): boolean => /Options$/.test(name);

const theirFile = (name: string): string => join(root, `node_modules/@temporalio/${name}/lib/index.d.ts`);
const ourFile = (name: string): string => join(root, `shim/${name}/index.ts`);
const settings: ts.CompilerOptions = {
  module: ts.ModuleKind.Node16,
  moduleResolution: ts.ModuleResolutionKind.Node16,
  target: ts.ScriptTarget.ES2022,
  types: ['node'],
  strict: true,
  skipLibCheck: true,
};

/** Names the types of one package side by side in a module of its own, generic ones with `any` for their parameters. */
function sideBySide(name: string, generic: ReadonlyMap<string, number>): string {
  const pairs = [...generic].map(([type, parameters]) => {
    const given = parameters === 0 ? '' : `<${Array(parameters).fill('any').join(', ')}>`;
    return `export type ${type} = { theirs: theirs.${type}${given}; ours: ours.${type}${given} };`;
  });
  const imports = [
    `import type * as theirs from '@temporalio/${name}';`,
    `import type * as ours from '../../shim/${name}';`,
  ];
  return [...imports, ...pairs].join('\n');
}

function programWith(files: ReadonlyMap<string, string>): ts.Program {
  const host = ts.createCompilerHost(settings);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (file) => files.has(file) || fileExists(file);
  host.readFile = (file) => files.get(file) ?? readFile(file);
  host.getSourceFile = (file, version, ...rest) => {
    const text = files.get(file);
    return text === undefined ? getSourceFile(file, version, ...rest) : ts.createSourceFile(file, text, version);
  };
  const roots = packages.flatMap((name) => [theirFile(name), ourFile(name)]);
  return ts.createProgram([...roots, ...files.keys()], settings, host);
}

function exportsOf(program: ts.Program, file: string): Map<string, ts.Symbol> {
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(file)!)!;
  return new Map(
    checker
      .getExportsOfModule(module)
      .map((symbol) => [symbol.name, symbol.flags & flags.Alias ? checker.getAliasedSymbol(symbol) : symbol]),
  );
}

function typeParameters(symbol: ts.Symbol): number {
  const counts = (symbol.declarations ?? []).map((declaration) =>
    ts.isInterfaceDeclaration(declaration) ||
    ts.isTypeAliasDeclaration(declaration) ||
    ts.isClassDeclaration(declaration)
      ? (declaration.typeParameters?.length ?? 0)
      : 0,
  );
  return Math.max(0, ...counts);
}

/** The properties of a type; of a union, those of each of its members. Private and protected ones are nobody's business. */
function membersOf(checker: ts.TypeChecker, type: ts.Type): Map<string, ts.Symbol> {
  const objects = (type.isUnion() ? type.types : [type]).filter(
    ({ flags }) => flags & ts.TypeFlags.Object || flags & ts.TypeFlags.Intersection,
  );
  const members = objects.filter((one) => !checker.isArrayType(one)).flatMap((one) => checker.getPropertiesOfType(one));
  return new Map(members.filter(isPublic).map((member) => [member.name, member]));
}

function isPublic(member: ts.Symbol): boolean {
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  const declared = member.declarations?.every((one) => (ts.getCombinedModifierFlags(one) & hidden) === 0) ?? true;
  return declared && member.name !== 'prototype' && !member.name.startsWith('__');
}

/** Reads all packages in one compilation. */
export function readSurfaces(): Map<string, Surface> {
  const plain = programWith(new Map());
  const files = new Map<string, string>();
  const sideFile = (name: string): string => join(__dirname, `side-by-side-${name}.ts`);
  for (const name of packages) {
    const ours = exportsOf(plain, ourFile(name));
    const types = [...exportsOf(plain, theirFile(name))].filter(([type, symbol]) => isType(symbol) && ours.has(type));
    files.set(sideFile(name), sideBySide(name, new Map(types.map(([type, symbol]) => [type, typeParameters(symbol)]))));
  }
  const program = programWith(files);
  return new Map(packages.map((name) => [name, surface(program, name, sideFile(name))]));
}

function surface(program: ts.Program, name: string, sideFile: string): Surface {
  const checker = program.getTypeChecker();
  const theirs = exportsOf(program, theirFile(name));
  const ours = exportsOf(program, ourFile(name));
  const pairs = exportsOf(program, sideFile);
  const result: Surface = { names: [...theirs.keys()], options: [], differences: [] };

  /** `taking`: what an application gives to Temporal's, ours takes. Otherwise: what Temporal's give back, ours give too. */
  const compare = (owner: string, their: ts.Type, our: ts.Type, taking: boolean): void => {
    const ourMembers = membersOf(checker, our);
    for (const [key, member] of membersOf(checker, their)) {
      const same = ourMembers.get(key);
      if (same === undefined) {
        result.differences.push({ name: `${owner}.${key}`, what: 'missing' });
        continue;
      }
      const [theirType, ourType] = [checker.getTypeOfSymbol(member), checker.getTypeOfSymbol(same)];
      const fits = taking
        ? checker.isTypeAssignableTo(theirType, ourType)
        : checker.isTypeAssignableTo(ourType, theirType);
      if (!fits) result.differences.push({ name: `${owner}.${key}`, what: 'not assignable' });
    }
  };

  for (const [key, symbol] of theirs) {
    const our = ours.get(key);
    if (our === undefined) {
      result.differences.push({ name: key, what: 'missing' });
      continue;
    }
    const pair = pairs.get(key);
    const [their, mine] = pair === undefined ? [] : ['theirs', 'ours'].map((side) => sideOf(checker, pair, side));
    if (their !== undefined && isOptionsType(key)) {
      result.options.push(...[...membersOf(checker, their).keys()].map((option) => `${key}.${option}`));
    }
    if (our === symbol) continue;
    const isClass = (symbol.flags & flags.Class) !== 0;
    if (their !== undefined && mine !== undefined && (isClass || !checker.isTypeAssignableTo(their, mine))) {
      const before = result.differences.length;
      compare(key, their, mine, !isClass);
      // No single member is to blame.
      const judged = isClass || membersOf(checker, their).size > 0 || before < result.differences.length;
      if (!judged) result.differences.push({ name: key, what: 'not assignable' });
    }
    if (!isValue(symbol)) continue;
    const [theirValue, ourValue] = [checker.getTypeOfSymbol(symbol), checker.getTypeOfSymbol(our)];
    if (isClass) compare(key, theirValue, ourValue, false);
    else if (!checker.isTypeAssignableTo(ourValue, theirValue)) {
      result.differences.push({ name: key, what: 'not assignable' });
    }
  }
  return result;
}

function sideOf(checker: ts.TypeChecker, pair: ts.Symbol, side: string): ts.Type {
  return checker.getTypeOfSymbol(checker.getPropertyOfType(checker.getDeclaredTypeOfSymbol(pair), side)!);
}

/** What compatibility.json says of APIs and options. */
export interface Compatibility {
  temporal: { sdk: string };
  apis: Record<string, Record<string, { status: string; sentence?: string }>>;
  options: Record<string, Record<string, { status: string; sentence?: string }>>;
}

export function readCompatibility(): Compatibility {
  return JSON.parse(readFileSync(join(root, 'compatibility.json'), 'utf8')) as Compatibility;
}

/** Where names come from that a local module, a workspace package or an alias of tsconfig hands on. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Modules, type Origin, Origins } from './source/origins';
import { rootObject, objectAt, parseJson, propertiesOf } from './source/json-text';
import { type ParsedFile, ts, withParsed } from './source/parse';

const ENDINGS = [
  '',
  '.ts',
  '.tsx',
  '.mts',
  '.cts',
  '.js',
  '.mjs',
  '.cjs',
  '.jsx',
  '/index.ts',
  '/index.js',
  '/src/index.ts',
];

/** A name of a file: of another module, or handed on from all of one. */
interface Exports {
  named: Map<string, Origin>;
  all: string[];
}

export class ProjectModules implements Modules {
  private readonly exports = new Map<string, Exports>();
  private readonly files: ReadonlySet<string>;
  /** Package name → folder. */
  private readonly packages = new Map<string, string>();
  /** Alias → module, as `paths` of a tsconfig.json that lead to Temporal's packages. */
  private readonly aliases = new Map<string, string>();

  /** @param files relative to root, with `/` */
  constructor(
    private readonly root: string,
    files: readonly string[],
  ) {
    this.files = new Set(files);
    for (const file of files) {
      const name = path.posix.basename(file);
      if (name === 'package.json') this.readPackage(file);
      else if (/^[jt]sconfig(?:\..+)?\.json$/.test(name)) this.readAliases(file);
    }
  }

  exportOf(from: string, specifier: string, name: string): Origin | undefined {
    return this.find(from, specifier, name, new Set());
  }

  /** The file that a specifier means, if it is one of the project. */
  resolve(from: string, specifier: string): string | undefined {
    if (specifier.startsWith('.')) {
      const target = path.posix.join(path.posix.dirname(from), specifier);
      // `./a.js` in TypeScript means ./a.ts.
      const bases = [target, target.replace(/\.([cm]?)jsx?$/, '.$1ts'), target.replace(/\.jsx?$/, '.tsx')];
      return bases.flatMap((base) => ENDINGS.map((ending) => base + ending)).find((file) => this.files.has(file));
    }
    const folder = this.packages.get(specifier);
    return folder === undefined
      ? undefined
      : ENDINGS.map((ending) => path.posix.join(folder, ending)).find((file) => this.files.has(file));
  }

  private find(from: string, specifier: string, name: string, seen: Set<string>): Origin | undefined {
    const alias = this.aliases.get(specifier);
    if (alias !== undefined) return { module: alias, path: [name] };
    const file = this.resolve(from, specifier);
    if (file === undefined || seen.has(file)) return undefined;
    seen.add(file);
    const { named, all } = this.exportsOf(file);
    const known = named.get(name);
    if (known !== undefined) {
      const [first] = known.path;
      const further = first === undefined ? undefined : this.find(file, known.module, first, seen);
      return further === undefined ? known : { ...further, path: [...further.path, ...known.path.slice(1)] };
    }
    for (const module of all) {
      if (module.startsWith('@temporalio/')) return { module, path: [name] };
      const further = this.find(file, module, name, seen);
      if (further !== undefined) return further;
    }
    return undefined;
  }

  private exportsOf(file: string): Exports {
    let exports = this.exports.get(file);
    if (exports === undefined) {
      exports = { named: new Map(), all: [] };
      this.exports.set(file, exports);
      try {
        const text = readFileSync(path.join(this.root, file), 'utf8');
        if (/\bexport\b|module\.exports/.test(text)) withParsed(file, text, (parsed) => readExports(parsed, exports!));
      } catch {
        // What cannot be read or parsed is reported where it is looked at itself.
      }
    }
    return exports;
  }

  private readPackage(file: string): void {
    const name = tolerant(() => {
      const root = rootObject(parseJson(file, readFileSync(path.join(this.root, file), 'utf8')));
      const value = root && propertiesOf(root).find((property) => property.name === 'name')?.node.initializer;
      return value !== undefined && ts.isStringLiteral(value) ? value.text : undefined;
    });
    if (name !== undefined) this.packages.set(name, path.posix.dirname(file));
  }

  private readAliases(file: string): void {
    tolerant(() => {
      const ast = parseJson(file, readFileSync(path.join(this.root, file), 'utf8'));
      const paths = objectAt(objectAt(rootObject(ast), 'compilerOptions'), 'paths');
      for (const { name, node } of paths === undefined ? [] : propertiesOf(paths)) {
        const [, module] = /node_modules\/(@temporalio\/[\w-]+)/.exec(node.initializer.getText(ast)) ?? [];
        if (module !== undefined && !name.includes('*')) this.aliases.set(name, module);
      }
    });
  }
}

function tolerant<R>(read: () => R): R | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function readExports(file: ParsedFile, { named, all }: Exports): void {
  const origins = new Origins(file);
  for (const statement of file.ast.statements) {
    if (ts.isExportDeclaration(statement)) {
      const { moduleSpecifier: from, exportClause: clause } = statement;
      const module = from !== undefined && ts.isStringLiteral(from) ? from.text : undefined;
      if (clause === undefined) {
        if (module !== undefined) all.push(module);
      } else if (ts.isNamespaceExport(clause)) {
        if (module !== undefined) named.set(clause.name.text, { module, path: [] });
      } else {
        for (const { name, propertyName } of clause.elements) {
          const inner = propertyName ?? name;
          const origin = module === undefined ? originOfLocal(file, origins, inner) : { module, path: [inner.text] };
          if (origin !== undefined) named.set(name.text, origin);
        }
      }
    } else if (
      ts.isVariableStatement(statement) &&
      (statement.modifiers ?? []).some((m) => m.kind === ts.SyntaxKind.ExportKeyword)
    ) {
      for (const { name, initializer } of statement.declarationList.declarations) {
        const origin = ts.isIdentifier(name) ? origins.of(initializer) : undefined;
        if (origin !== undefined && ts.isIdentifier(name)) named.set(name.text, origin);
      }
    } else if (ts.isExpressionStatement(statement) && ts.isBinaryExpression(statement.expression)) {
      const { left, right } = statement.expression;
      const whole = left.getText(file.ast) === 'module.exports' ? origins.of(right) : undefined;
      if (whole?.path.length === 0) all.push(whole.module);
    }
  }
}

function originOfLocal(file: ParsedFile, origins: Origins, name: ts.ModuleExportName): Origin | undefined {
  const symbol = ts.isIdentifier(name) ? file.checker.getExportSpecifierLocalTargetSymbol(name) : undefined;
  const declaration = symbol?.declarations?.[0];
  const local = declaration && ts.getNameOfDeclaration(declaration as ts.Declaration);
  return origins.of(local);
}

/** What a specifier of a file means: a file of the repository, or (by an alias of tsconfig.json) a package of Temporal's. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { objectAt, parseJson, propertiesOf, rootObject, stringAt } from './source/json-text';
import { ts } from './source/parse';

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

/** `compilerOptions` of one configuration, for the files of its folder. */
interface Aliases {
  folder: string;
  /** Where targets are relative to. */
  base: string;
  /** Whether `base` was asked for: then bare specifiers mean what is in it, too. */
  bare: boolean;
  patterns: { before: string; after: string; star: boolean; targets: string[] }[];
}

export class ModulePaths {
  private readonly files: ReadonlySet<string>;
  /** Package name → folder. */
  private readonly packages = new Map<string, string>();
  /** Of all packages, with a name or not. */
  private readonly folders: string[] = [];
  /** Those of the deepest folders first. */
  private readonly aliases: Aliases[] = [];

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
    this.aliases.sort((a, b) => b.folder.length - a.folder.length);
  }

  /** The file that a specifier means, if it is one of the repository. */
  fileOf(from: string, specifier: string): string | undefined {
    if (specifier.startsWith('.')) return this.at(path.posix.join(path.posix.dirname(from), specifier));
    return this.byAlias(from, specifier, (target) => this.at(target)) ?? this.inPackage(specifier);
  }

  /** The package of Temporal's that an alias leads to. */
  temporalOf(from: string, specifier: string): string | undefined {
    if (specifier.startsWith('.') || specifier.startsWith('@temporalio/')) return undefined;
    return this.byAlias(from, specifier, (target) => /node_modules\/(@temporalio\/[\w-]+)/.exec(target)?.[1]);
  }

  /** What a path means in each package that has it. */
  inPackages(specifier: string): string[] {
    return this.folders.flatMap((folder) => this.at(path.posix.join(folder, specifier)) ?? []);
  }

  private at(target: string): string | undefined {
    const plain = target.replace(/^\.\//, '').replace(/\/$/, '');
    // `./a.js` in TypeScript means ./a.ts.
    const bases = [plain, plain.replace(/\.([cm]?)jsx?$/, '.$1ts'), plain.replace(/\.jsx?$/, '.tsx')];
    const places = bases.flatMap((base) => ENDINGS.map((ending) => (base + ending).replace(/^\.\//, '')));
    return places.find((file) => this.files.has(file) && !file.endsWith('.json'));
  }

  private byAlias<R>(from: string, specifier: string, found: (target: string) => R | undefined): R | undefined {
    for (const { folder, base, bare, patterns } of this.aliases) {
      if (folder !== '.' && !from.startsWith(`${folder}/`)) continue;
      for (const { before, after, star, targets } of patterns) {
        const fits = star
          ? specifier.length >= before.length + after.length &&
            specifier.startsWith(before) &&
            specifier.endsWith(after)
          : specifier === before;
        if (!fits) continue;
        const middle = specifier.slice(before.length, specifier.length - after.length);
        for (const target of targets) {
          const result = found(
            path.posix.join(
              base,
              target.replace('*', () => middle),
            ),
          );
          if (result !== undefined) return result;
        }
      }
      const result = bare ? found(path.posix.join(base, specifier)) : undefined;
      if (result !== undefined) return result;
    }
    return undefined;
  }

  /** `@acme/temporal`, `@acme/temporal/client`. */
  private inPackage(specifier: string): string | undefined {
    const [name = ''] = /^(?:@[^/]+\/)?[^/]+/.exec(specifier) ?? [];
    const folder = this.packages.get(name);
    if (folder === undefined) return undefined;
    const below = specifier.slice(name.length + 1);
    return (
      this.at(path.posix.join(folder, below)) ??
      this.at(path.posix.join(folder, 'src', below)) ??
      // What is built into dist, lib or build comes from src.
      this.at(path.posix.join(folder, 'src', below.replace(/^(?:dist|lib|build)\/(?:src\/)?/, '')))
    );
  }

  private readPackage(file: string): void {
    this.folders.push(path.posix.dirname(file));
    const name = this.tolerant(file, (ast) => stringAt(rootObject(ast), 'name'));
    if (name !== undefined) this.packages.set(name, path.posix.dirname(file));
  }

  private readAliases(file: string): void {
    this.tolerant(file, (ast) => {
      const options = objectAt(rootObject(ast), 'compilerOptions');
      const paths = objectAt(options, 'paths');
      const given = stringAt(options, 'baseUrl');
      if (paths === undefined && given === undefined) return;
      const folder = path.posix.dirname(file);
      const patterns = (paths === undefined ? [] : propertiesOf(paths)).map(({ name, node }) => {
        const [before = '', after = ''] = name.split('*');
        const { initializer } = node;
        const elements = ts.isArrayLiteralExpression(initializer) ? [...initializer.elements] : [initializer];
        const targets = elements.flatMap((element) => (ts.isStringLiteral(element) ? element.text : []));
        return { before, after, star: name.includes('*'), targets };
      });
      this.aliases.push({
        folder,
        base: path.posix.join(folder, given ?? '.'),
        bare: given !== undefined,
        patterns: patterns.sort((a, b) => b.before.length - a.before.length),
      });
    });
  }

  /** What cannot be read or parsed is reported where it is looked at itself. */
  private tolerant<R>(file: string, read: (ast: ts.JsonSourceFile) => R): R | undefined {
    try {
      return read(parseJson(file, readFileSync(path.join(this.root, file), 'utf8')));
    } catch {
      return undefined;
    }
  }
}

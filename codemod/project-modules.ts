/** Where names and values come from that a local module, a workspace package or an alias of tsconfig.json hands on. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ModulePaths } from './module-paths';
import { exportsOf, wholeOf } from './source/exports';
import { Makers } from './source/makers';
import { type Modules, type Origin, Origins, type Step } from './source/origins';
import { withParsed } from './source/parse';

/** A name of a file: of another module, or handed on from all of one. */
interface Handed {
  named: Map<string, Origin>;
  all: string[];
}

export class ProjectModules implements Modules {
  private readonly handed = new Map<string, Handed>();
  private readonly made = new Map<string, ReadonlySet<string>>();
  private readonly paths: ModulePaths;

  /** @param files relative to root, with `/` */
  constructor(
    private readonly root: string,
    files: readonly string[],
  ) {
    this.paths = new ModulePaths(root, files);
  }

  exportOf(from: string, specifier: string, name: string): Origin | undefined {
    return this.find(from, specifier, name, new Set());
  }

  /** The file that a specifier means, if it is one of the project. */
  resolve(from: string, specifier: string): string | undefined {
    return this.paths.fileOf(from, specifier);
  }

  /** The files that a `workflowsPath` means: beside the file, or where processes are started, which is in packages. */
  entries(from: string, specifier: string): string[] {
    const own = this.resolve(from, specifier);
    return own !== undefined ? [own] : this.paths.inPackages(specifier);
  }

  madeBy(from: string, specifier: string, name: string, steps: readonly Step[]): ReadonlySet<string> | undefined {
    const file = this.resolve(from, specifier);
    if (file === undefined) return undefined;
    const key = JSON.stringify([file, name, steps]);
    const known = this.made.get(key);
    if (known !== undefined) return known;
    // Round in a circle nothing more is found.
    this.made.set(key, new Set());
    const found = this.parsed(file, (parsed) => new Makers(parsed, this).ofExport(name, steps));
    const result = found ?? new Set<string>();
    this.made.set(key, result);
    return result;
  }

  private find(from: string, specifier: string, name: string, seen: Set<string>): Origin | undefined {
    const temporal = this.paths.temporalOf(from, specifier);
    if (temporal !== undefined) return { module: temporal, path: [name] };
    const file = this.resolve(from, specifier);
    if (file === undefined || seen.has(file)) return undefined;
    seen.add(file);
    const { named, all } = this.handedBy(file);
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

  private handedBy(file: string): Handed {
    let handed = this.handed.get(file);
    if (handed === undefined) {
      handed = { named: new Map(), all: [] };
      this.handed.set(file, handed);
      const { named, all } = handed;
      this.parsed(file, (parsed) => {
        const origins = new Origins(parsed);
        const exported = exportsOf(parsed);
        all.push(...exported.all);
        for (const [name, one] of exported.named) {
          const origin =
            'node' in one
              ? (origins.of(one.node) ?? origins.ofDeclaration(one.node))
              : { module: one.module, path: one.name === undefined ? [] : [one.name] };
          if (origin === undefined) continue;
          named.set(name, origin);
          if (one === wholeOf(exported) && origin.path.length === 0) all.push(origin.module);
        }
      });
    }
    return handed;
  }

  /** What cannot be read or parsed is reported where it is looked at itself. */
  private parsed<R>(file: string, use: (parsed: Parameters<Parameters<typeof withParsed>[2]>[0]) => R): R | undefined {
    try {
      const text = readFileSync(path.join(this.root, file), 'utf8');
      return /\bexport\b|\bexports\b/.test(text) ? withParsed(file, text, use) : undefined;
    } catch {
      return undefined;
    }
  }
}

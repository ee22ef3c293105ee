/** Which package.json answers for a file, and what the code below each of them asks for. */
import { MAX_BYTES } from './files/text-file';
import { DROP_INS } from './packages';
import { findMentions } from './source/mentions';
import { CODE_FILE, withParsed } from './source/parse';

const doors = DROP_INS.join('|');
const TEMPORALS = new RegExp(`['"\`](@temporalio/(?:${doors}))(?=[/'"\`])`, 'g');
const OURS = new RegExp(`['"\`]branchline/(?:${doors}|router)(?=[/'"\`])`);
const ROUTER = /['"`]branchline\/router['"`]/;
const ASKS = /"(?:@temporalio\/[\w-]+|branchline)"\s*:/;

export class Owners {
  /** package.json → drop-ins of Temporal's that code below it goes on asking for, wherever that finds them. */
  private readonly needs = new Map<string, Set<string>>();
  /** The same, for the nearest package.json alone. */
  private readonly imports = new Map<string, Set<string>>();
  /** Of code that imports Branchline, the router among it. */
  private readonly ours = new Set<string>();
  private readonly routers = new Set<string>();

  /** `texts`: of each package.json, '' for one that cannot be read. */
  constructor(private readonly texts: ReadonlyMap<string, string>) {}

  /** The package.json of the package that a file is of. */
  nearest(file: string): string | undefined {
    return this.above(file)[0];
  }

  neededBelow(manifest: string): ReadonlySet<string> {
    return this.needs.get(manifest) ?? new Set();
  }

  importedIn(manifest: string): ReadonlySet<string> {
    return this.imports.get(manifest) ?? new Set();
  }

  importsOurs(manifest: string): boolean {
    return this.ours.has(manifest);
  }

  importsRouter(manifest: string): boolean {
    return this.routers.has(manifest);
  }

  asks(manifest: string): boolean {
    return ASKS.test(this.texts.get(manifest) ?? '');
  }

  /** What a file asks for as it is, or stays, on the disk. */
  sees(file: string, text: string): void {
    const owners = this.above(file);
    const [nearest] = owners;
    if (nearest === undefined) return;
    // Dependencies may stand further up, where all packages find them.
    const asking = owners.find((owner) => this.asks(owner)) ?? nearest;
    if (OURS.test(text)) this.ours.add(asking);
    if (ROUTER.test(text)) this.routers.add(asking);
    const names = namesIn(file, text);
    for (const owner of owners) add(this.needs, owner, names);
    add(this.imports, nearest, names);
  }

  /** Nearest first. */
  private above(file: string): string[] {
    return [...this.texts.keys()]
      .filter((manifest) => file.startsWith(manifest.slice(0, -'package.json'.length)))
      .sort((a, b) => b.length - a.length);
  }
}

function add(sets: Map<string, Set<string>>, key: string, names: readonly string[]): void {
  const set = sets.get(key) ?? new Set();
  sets.set(key, set);
  for (const name of names) set.add(name);
}

/** In code, what only a comment says is not asked for; in files that do not parse, everything counts. */
function namesIn(file: string, text: string): string[] {
  const all = [...text.matchAll(TEMPORALS)].map(([, name]) => name!);
  if (all.length === 0 || !CODE_FILE.test(file) || text.length > MAX_BYTES) return all;
  try {
    const asked = withParsed(file, text, (parsed) => findMentions(parsed, 'forward'));
    return asked
      .filter(({ kind }) => kind !== 'words')
      .map(({ specifier }) => /^@temporalio\/[\w-]+/.exec(specifier)?.[0] ?? '')
      .filter((name) => all.includes(name));
  } catch {
    return all;
  }
}

/** The facts of all files put together: which functions are workflows, what they reach through helpers, which types belong together. */
import type { Edge, FanOut, Finding, Site, WorkflowFacts } from './facts';
import type { Call, FileFacts, FunctionFacts, Ref, Spread } from './file-facts';

export interface Paths {
  /** Which file a specifier means; undefined: none of the repository. */
  resolve(from: string, specifier: string): string | undefined;
  /** Which files a `workflowsPath` means. */
  entries(from: string, specifier: string): string[];
}

export interface Linked {
  workflows: WorkflowFacts[];
  edges: Edge[];
  notFollowed: Site[];
}

interface Found {
  file: FileFacts;
  function: FunctionFacts;
}

export class Linker {
  constructor(
    private readonly files: ReadonlyMap<string, FileFacts>,
    private readonly paths: Paths,
    private readonly unsupported: readonly Finding[],
  ) {}

  link(): Linked {
    const found = this.workflowFunctions();
    const started = this.starts();
    for (const type of this.namedTypes(started.keys())) {
      const one = found.has(type) ? undefined : this.byName(type);
      if (one !== undefined) found.set(type, one);
    }
    const types = new Set([...found.keys(), ...started.keys()]);
    const edges: Edge[] = [];
    const workflows = [...types]
      .sort()
      .map((type) => this.workflow(type, found.get(type), started.get(type) ?? [], edges));
    this.startsInActivities(workflows, edges);
    return { workflows, edges, notFollowed: this.notFollowed() };
  }

  /** What a `workflowsPath` exports; undefined: it leads to no file that was read. */
  typesAt(from: string, specifier: string): string[] | undefined {
    const entries = this.paths.entries(from, specifier).filter((entry) => this.files.has(entry));
    return entries.length === 0 ? undefined : entries.flatMap((entry) => [...this.exportsOf(entry).keys()]);
  }

  private notFollowed(): Site[] {
    return [...this.files.values()].flatMap(({ path, entries }) =>
      entries
        .filter(({ specifier }) => specifier === undefined || this.paths.entries(path, specifier).length === 0)
        .map(({ line }) => ({ path, line })),
    );
  }

  /** Exports of what `workflowsPath` names, targets of starts and children. Helpers that are exported beside them do not await anything of the workflow API. */
  private workflowFunctions(): Map<string, Found> {
    const found = new Map<string, Found>();
    const add = (type: string, one: Found | undefined): void => {
      if (one !== undefined && !found.has(type)) found.set(type, one);
    };
    for (const file of this.files.values()) {
      for (const { specifier } of file.entries) {
        for (const entry of specifier === undefined ? [] : this.paths.entries(file.path, specifier))
          for (const [name, one] of this.exportsOf(entry)) add(name, one);
      }
      for (const { ref } of file.starts) add(ref.name, this.find(file, ref));
      for (const one of file.functions.values()) {
        for (const { ref } of one.children) if (ref.module !== '') add(ref.name, this.find(file, ref));
      }
    }
    return found;
  }

  /** Types that are named by strings, where they are started. */
  private namedTypes(started: Iterable<string>): Set<string> {
    const names = new Set(started);
    for (const file of this.files.values())
      for (const one of file.functions.values())
        for (const { ref } of one.children) if (ref.module === '') names.add(ref.name);
    return names;
  }

  /** The one function of that name that is exported beside the workflow API: where no workflowsPath leads to it. */
  private byName(type: string): Found | undefined {
    const all = [...this.files.values()].flatMap((file) => {
      const one = file.functions.get(type);
      const isWorkflowCode = file.imports.some(({ specifier }) =>
        /^(?:@temporalio|branchline)\/workflow$/.test(specifier),
      );
      return one !== undefined && file.exports.has(type) && isWorkflowCode ? [{ file, function: one }] : [];
    });
    return all.length === 1 ? all[0] : undefined;
  }

  private starts(): Map<string, Site[]> {
    const started = new Map<string, Site[]>();
    for (const file of this.files.values()) {
      for (const { ref, line } of file.starts) {
        // A string is a type wherever it is; a name only when it leads to a function.
        if (ref.module !== '' && this.find(file, ref) === undefined) continue;
        started.set(ref.name, [...(started.get(ref.name) ?? []), { path: file.path, line }]);
      }
    }
    return started;
  }

  private exportsOf(path: string, seen = new Set<string>()): Map<string, Found> {
    const all = new Map<string, Found>();
    const file = this.files.get(path);
    if (file === undefined || seen.has(path)) return all;
    seen.add(path);
    for (const specifier of file.stars) {
      const target = this.paths.resolve(path, specifier);
      if (target !== undefined) for (const [name, one] of this.exportsOf(target, seen)) all.set(name, one);
    }
    for (const [name, ref] of file.exports) {
      const one = this.find(file, ref);
      if (one !== undefined) all.set(name, one);
    }
    return all;
  }

  private find(file: FileFacts, ref: Ref, depth = 0): Found | undefined {
    if (ref.module === '' || depth > 20) return undefined;
    if (ref.module === undefined) {
      const one = file.functions.get(ref.name);
      return one === undefined ? undefined : { file, function: one };
    }
    const path = this.paths.resolve(file.path, ref.module);
    return path === undefined ? undefined : this.exportsOf(path).get(ref.name);
  }

  private workflow(type: string, found: Found | undefined, startedAt: Site[], edges: Edge[]): WorkflowFacts {
    const facts: WorkflowFacts = {
      type,
      startedAt,
      api: [],
      activities: [],
      fanOut: [],
      loops: [],
      unsupported: [],
      hazards: [],
    };
    if (found === undefined) return facts;
    facts.defined = { path: found.file.path, line: found.function.line };
    this.gather(facts, found, undefined, false, new Set(), edges);
    facts.api = [...new Set(facts.api)].sort();
    facts.activities = [...new Set(facts.activities)].sort();
    const graph = this.moduleGraph(found.file.path);
    for (const path of graph) {
      const file = this.files.get(path);
      for (const hazard of file?.forbidden ?? []) facts.hazards.push({ path, ...hazard });
      facts.unsupported.push(...this.unsupported.filter((one) => one.path === path));
    }
    return facts;
  }

  /** A function and the helpers it calls; `spread`: the whole of it runs many times at once. */
  private gather(
    facts: WorkflowFacts,
    { file, function: one }: Found,
    spread: Spread | undefined,
    repeated: boolean,
    seen: Set<FunctionFacts>,
    edges: Edge[],
  ): void {
    if (seen.has(one)) return;
    seen.add(one);
    const { path } = file;
    facts.api.push(...one.api);
    facts.hazards.push(...one.hazards.map((hazard) => ({ path, ...hazard })));
    const note = (call: Call, over: FanOut['over']): void => {
      const wide = call.spread ?? spread;
      if (wide !== undefined) facts.fanOut.push({ path, line: call.line, over, ...wide });
      else if (call.repeated || repeated) facts.loops.push({ path, line: call.line });
    };
    for (const child of one.children) {
      note(child, 'children');
      edges.push({ from: facts.type, to: child.ref.name, how: 'child', path, line: child.line });
    }
    for (const { line } of one.externals) edges.push({ from: facts.type, to: '(by id)', how: 'external', path, line });
    for (const call of one.calls) {
      if (this.isActivity(file, call.ref)) {
        facts.activities.push(call.ref.name);
        note(call, 'activities');
        continue;
      }
      const target = this.find(file, call.ref);
      if (target !== undefined)
        this.gather(facts, target, call.spread ?? spread, call.repeated || repeated, seen, edges);
    }
  }

  private isActivity(file: FileFacts, ref: Ref): boolean {
    if (ref.module === 'activity:') return true;
    if (ref.module === undefined || ref.module === '') return false;
    const path = this.paths.resolve(file.path, ref.module);
    return path !== undefined && this.files.get(path)?.proxies.has(ref.name) === true;
  }

  /** Files that come into the bundle with this one. */
  private moduleGraph(path: string, seen = new Set<string>()): Set<string> {
    if (seen.has(path)) return seen;
    seen.add(path);
    for (const { specifier } of this.files.get(path)?.imports ?? []) {
      const target = this.paths.resolve(path, specifier);
      if (target !== undefined) this.moduleGraph(target, seen);
    }
    return seen;
  }

  /** An activity that starts a workflow ties the two, though neither awaits the other in the history. */
  private startsInActivities(workflows: readonly WorkflowFacts[], edges: Edge[]): void {
    for (const file of this.files.values()) {
      for (const { ref, line, within } of file.starts) {
        if (within === undefined) continue;
        for (const { type, activities } of workflows) {
          if (activities.includes(within))
            edges.push({ from: type, to: ref.name, how: 'activity starts it', path: file.path, line });
        }
      }
    }
  }
}

/** Types that an edge connects, directly or through others: they move together. `(by id)` connects nothing that is known. */
export function groupsOf(workflows: readonly WorkflowFacts[], edges: readonly Edge[]): string[][] {
  const group = new Map<string, Set<string>>(workflows.map(({ type }) => [type, new Set([type])]));
  for (const { from, to } of edges) {
    const [a, b] = [group.get(from), group.get(to)];
    if (a === undefined || b === undefined || a === b) continue;
    for (const type of b) {
      a.add(type);
      group.set(type, a);
    }
  }
  return [...new Set(group.values())].map((types) => [...types].sort());
}

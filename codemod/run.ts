/** `branchline codemod`: every file of a folder looked at, changes gathered, then written (or only shown). */
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { readRepository } from './assess/assess';
import { ownVersion } from './compatibility';
import { guessed, spoken, tooOld } from './dependency-words';
import { CodemodError } from './failure';
import { fileReport, type CodemodReport, type FileReport, totalsOf } from './file-report';
import { uncommitted } from './files/git';
import { installCommand } from './files/install-command';
import { MAX_BYTES, readText, sizeOfRegularFile, type TextFile, whole } from './files/text-file';
import { type FileKind, kindOf, walkFiles } from './files/walk-files';
import {
  emptyJournal,
  exactlyBefore,
  isAsLeft,
  JOURNAL,
  type Journal,
  journalText,
  readJournal,
  record,
  recordRoutes,
} from './journal';
import { Owners } from './owners';
import { type Direction, namesTypedByWorker } from './packages';
import { ProjectModules } from './project-modules';
import { unifiedDiff } from './report/unified-diff';
import { type RoutedPlan, planOf } from './routed/plan';
import { ROUTES, routesWith } from './routed/route-file';
import { mentions } from './source/mentions';
import { reasonOf } from './reason';
import { transformCode } from './transforms';
import { addDependency, moveDependencies, type PackageResult, restoreDependencies } from './transforms/package-json';
import type { Context } from './transforms/transform';
import { transformTsconfig } from './transforms/tsconfig';
import { withWorkerTypes } from './transforms/worker-types';
import { type Change, writeChanges } from './write-changes';

export interface CodemodOptions {
  /** The folder: a package, or a repository with several. */
  root: string;
  direction: Direction;
  /** Forward, the incremental way: Temporal stays, and new runs of these types (with those tied to them) start on Postgres. */
  workflows?: readonly string[];
  /** False: nothing is written. */
  write: boolean;
  /** Go on although git has changes in the folder that are not committed. */
  allowDirty?: boolean;
  onProgress?: (done: number, total: number) => void;
}

/**
 * @throws CodemodError BRANCHLINE_NO_FOLDER, BRANCHLINE_DIRTY_TREE, BRANCHLINE_NO_FILES, BRANCHLINE_GIT, BRANCHLINE_JOURNAL, BRANCHLINE_CODEMOD_MODE;
 * with `workflows` also BRANCHLINE_NO_WORKFLOWS, BRANCHLINE_UNKNOWN_WORKFLOW, BRANCHLINE_ROUTES_FILE
 */
export async function runCodemod(options: CodemodOptions): Promise<CodemodReport> {
  const root = path.resolve(options.root);
  if (!existsSync(root) || !statSync(root).isDirectory()) {
    throw new CodemodError('BRANCHLINE_NO_FOLDER', `${options.root} is not a folder.`);
  }
  if (options.write && options.allowDirty !== true) refuseDirty(root);
  return new Run(root, options).all();
}

const MODES = { all: '--all', workflows: '--workflows' } as const;

function refuseDirty(root: string): void {
  const dirty = uncommitted(root);
  if (dirty.length === 0) return;
  const more = dirty.length > 5 ? `, and ${dirty.length - 5} more` : '';
  throw new CodemodError(
    'BRANCHLINE_DIRTY_TREE',
    `There are changes that are not committed (${dirty.slice(0, 5).join(', ')}${more}): commit or stash them, so that git can show and undo ` +
      'what the codemod does, or pass --allow-dirty.',
  );
}

class Run {
  private readonly reports: FileReport[] = [];
  private readonly changes: Change[] = [];
  private readonly journal: Journal;
  private readonly recorded: Journal | undefined;
  private context!: Context;
  private packages: string[] = [];
  private owners!: Owners;
  private plan: RoutedPlan | undefined;
  /** Files that use packages whose types name Temporal's worker. */
  private readonly plugged: string[] = [];

  constructor(
    private readonly root: string,
    private readonly options: CodemodOptions,
  ) {
    try {
      this.recorded = readJournal(root);
    } catch (error) {
      throw new CodemodError(
        'BRANCHLINE_JOURNAL',
        `${JOURNAL} cannot be read (${(error as Error).message}): restore it from git.`,
      );
    }
    const mode = options.workflows === undefined ? 'all' : 'workflows';
    const before = this.recorded?.mode;
    if (options.direction === 'forward' && before !== undefined && before !== mode) {
      throw new CodemodError(
        'BRANCHLINE_CODEMOD_MODE',
        `This was moved by ${MODES[before]}: go back with --reverse before ${MODES[mode]}.`,
      );
    }
    this.journal = this.recorded === undefined ? emptyJournal(mode) : structuredClone(this.recorded);
  }

  async all(): Promise<CodemodReport> {
    const { root, options } = this;
    const files = walkFiles(root, (folder, reason) =>
      this.reports.push(fileReport({ path: folder, failed: `the folder could not be read: ${reason}` })),
    );
    if (files.length === 0) {
      throw new CodemodError(
        'BRANCHLINE_NO_FILES',
        `${root} holds no package.json and no source files (git-ignored ones do not count).`,
      );
    }
    if (options.direction === 'reverse') refuseOtherJournals(root, files);
    this.packages = files.filter((file) => kindOf(file) === 'package');
    this.owners = new Owners(new Map(this.packages.map((file) => [file, this.textOr(file, '')])));
    if (options.workflows !== undefined && options.direction === 'forward')
      this.plan = planOf(await readRepository({ root }), options.workflows);
    const { plan } = this;
    this.context = {
      direction: options.direction,
      modules: new ProjectModules(root, files),
      ...(plan && {
        routing: { serves: plan.serves, routesFrom: (file) => routesFrom(this.owners.nearest(file)) },
      }),
    };
    // Code first: what it still imports decides about the dependencies.
    const ordered = [...files.filter((file) => kindOf(file) !== 'package'), ...this.packages];
    for (const [index, file] of ordered.entries()) {
      this.reports.push(this.one(file));
      if (index % 50 === 49) await turn();
      options.onProgress?.(index + 1, ordered.length);
    }
    this.leadWorkerTypes(files);
    this.keepRoutes();
    this.tellPlan();
    this.keepJournal();
    if (options.write) for (const report of writeChanges(root, this.changes)) this.told(report);
    this.reports.sort((a, b) => (a.path < b.path ? -1 : 1));
    const install = this.changes.some(({ path: file }) => kindOf(file) === 'package')
      ? installCommand(root)
      : undefined;
    return {
      direction: options.direction,
      root,
      written: options.write,
      files: this.reports,
      totals: totalsOf(this.reports),
      diff: this.changes
        .map(({ path: file, before, after }) => unifiedDiff(file, before && whole(before), after))
        .join(''),
      ...(install !== undefined && { install }),
      ...(this.packages.length === 0 && this.changes.length > 0 && { noPackage: true as const }),
    };
  }

  /** One file's fault is that file's: it stays as it was and the next one follows. */
  private one(file: string): FileReport {
    const kind = kindOf(file)!;
    try {
      const size = sizeOfRegularFile(path.join(this.root, file));
      if (size === undefined && !existsSync(path.join(this.root, file)))
        return fileReport({ path: file, reason: 'git knows it, but it is not there any more' });
      if (size === undefined)
        return fileReport({ path: file, reason: 'not a regular file: what a link leads to is handled where it is' });
      if (size > MAX_BYTES) return this.large(file, size);
      const before = readText(path.join(this.root, file));
      return this.transformed(file, kind, before);
    } catch (error) {
      this.owners.sees(file, this.textOr(file, ''));
      return fileReport({ path: file, failed: reasonOf(error) });
    }
  }

  private textOr(file: string, otherwise: string): string {
    try {
      return readText(path.join(this.root, file)).text;
    } catch {
      return otherwise;
    }
  }

  private large(file: string, size: number): FileReport {
    const { text } = readText(path.join(this.root, file));
    this.owners.sees(file, text);
    if (!mentions(text, this.options.direction)) return fileReport({ path: file });
    const megabytes = (size / 2 ** 20).toFixed(1);
    const reason = `${megabytes} MB, looks generated and names Temporal's packages: generate it again after the move, or change it by hand`;
    return fileReport({ path: file, leftovers: [{ code: 'too-large', reason, line: 1 }] });
  }

  private transformed(file: string, kind: FileKind, before: TextFile): FileReport {
    const { direction } = this.options;
    if (kind === 'package') return this.package(file, before);
    if (this.plan !== undefined && kind !== 'code') return fileReport({ path: file });
    if (kind === 'json' || kind === 'other-code') {
      if (kind === 'other-code') this.owners.sees(file, before.text);
      if (direction === 'reverse' || !mentions(before.text, direction)) return fileReport({ path: file });
      const lines = before.text.split('\n');
      const line = lines.findIndex((words) => mentions(words, direction)) + 1;
      const reason = `names Temporal's packages, in a kind of file that the codemod does not change`;
      return kind === 'json'
        ? fileReport({ path: file, notes: [{ line, reason }] })
        : fileReport({ path: file, leftovers: [{ code: 'other-language', reason, line }] });
    }
    const result =
      kind === 'tsconfig'
        ? transformTsconfig(file, before.text, direction)
        : transformCode(file, before.text, this.context);
    const changed = result.text !== before.text;
    if (changed) this.changes.push({ path: file, before, after: before.bom ? `\uFEFF${result.text}` : result.text });
    this.owners.sees(file, result.text);
    if (kind === 'code' && direction === 'forward' && namesTypedByWorker.test(result.text)) this.plugged.push(file);
    return fileReport({ path: file, changed, ...result });
  }

  private package(file: string, before: TextFile): FileReport {
    const { direction } = this.options;
    const kept = this.recorded?.packages[file];
    const stays = direction === 'reverse' && this.owners.importsOurs(file);
    const exact = direction === 'reverse' && !stays ? exactlyBefore(kept, before.text) : undefined;
    if (this.plan !== undefined && !this.owners.importsRouter(file)) return fileReport({ path: file });
    // The record names every package.json that was moved: others asked for nothing of Temporal's before either.
    if (direction === 'reverse' && this.recorded !== undefined && kept === undefined)
      return fileReport({ path: file, notes: unrecorded(before.text) });
    const { owners } = this;
    const result: PackageResult =
      this.plan !== undefined
        ? addDependency(file, before.text, `^${ownVersion()}`)
        : direction === 'forward'
          ? moveDependencies(
              file,
              before.text,
              `^${ownVersion()}`,
              owners.neededBelow(file),
              owners.importsOurs(file) && owners.asks(file),
            )
          : exact !== undefined
            ? { text: exact, removed: {}, added: kept?.removed ?? {} }
            : restoreDependencies(
                file,
                before.text,
                kept?.removed ?? (owners.asks(file) ? guessed(owners.importedIn(file)) : {}),
                stays,
              );
    if (result.text === before.text) return fileReport({ path: file, reason: 'no dependency that would change' });
    if (direction === 'forward') this.journal.packages[file] = record(kept, before.text, result.text, result.removed);
    this.changes.push({ path: file, before, after: before.bom ? `\uFEFF${result.text}` : result.text });
    const notes = direction === 'forward' ? tooOld(file, before.text) : [];
    return fileReport({ path: file, changed: true, reason: `dependencies: ${spoken(result)}`, notes });
  }

  /** For packages that stay and whose types name what has gone. */
  private leadWorkerTypes(files: readonly string[]): void {
    if (this.plan !== undefined) return;
    const configs = files.filter((file) => path.posix.basename(file) === 'tsconfig.json');
    const of = (file: string): string | undefined =>
      configs
        .filter((config) => file.startsWith(config.slice(0, -'tsconfig.json'.length)))
        .sort((a, b) => b.length - a.length)[0];
    const typed = this.plugged.filter((file) => /\.[cm]?tsx?$/.test(file));
    for (const file of new Set(typed.flatMap((one) => of(one) ?? []))) {
      const there = this.changes.find((change) => change.path === file);
      try {
        const before = there?.before ?? readText(path.join(this.root, file));
        const now = there?.after ?? whole(before);
        const mark = before.bom ? '\uFEFF' : '';
        const result = withWorkerTypes(path.join(this.root, file), now.slice(mark.length));
        if (result === undefined) continue;
        if ('problem' in result) {
          this.reports.find((report) => report.path === file)?.notes.push({ line: 1, reason: result.problem });
          continue;
        }
        if (there !== undefined) there.after = mark + result.text;
        else this.changes.push({ path: file, before, after: mark + result.text });
        this.told(
          fileReport({ path: file, changed: true, reason: 'paths of @temporalio/worker, for types of plugins' }),
        );
      } catch (error) {
        this.told(fileReport({ path: file, failed: reasonOf(error) }));
      }
    }
  }

  /** The file that says which types start on Postgres: as the plan needs it, or as it was before. */
  private keepRoutes(): void {
    const target = path.join(this.root, ROUTES);
    const now = existsSync(target) ? readText(target) : undefined;
    const { routes } = this.journal;
    if (this.plan !== undefined) {
      let after: string;
      try {
        after = routesWith(now?.text, this.plan.groups);
      } catch (error) {
        throw new CodemodError('BRANCHLINE_ROUTES_FILE', `${ROUTES} cannot be read: ${(error as Error).message}`);
      }
      if (after === now?.text) return;
      this.journal.routes = recordRoutes(routes, now?.text, after);
      this.changes.push({ path: ROUTES, before: now, after: now?.bom === true ? `\uFEFF${after}` : after });
      const types = this.plan.groups.flatMap((group) => group.types);
      this.told(fileReport({ path: ROUTES, changed: true, reason: `${types.join(', ')} → postgres` }));
    } else if (this.options.direction === 'reverse' && routes !== undefined && now !== undefined) {
      // A file of their own that was edited since is theirs: the rules in it name types, and harm nothing.
      if (routes.before === null) this.changes.push({ path: ROUTES, before: now, after: undefined });
      else if (isAsLeft(routes, now.text)) this.changes.push({ path: ROUTES, before: now, after: routes.before });
      else {
        const reason = 'it was edited after the move: take the rules that it added out by hand';
        this.told(fileReport({ path: ROUTES, notes: [{ line: 1, reason }] }));
      }
    }
  }

  /** One report for each file: the last word on it. */
  private told(report: FileReport): void {
    const at = this.reports.findIndex((other) => other.path === report.path);
    if (at < 0) this.reports.push(report);
    else this.reports[at] = report;
  }

  private tellPlan(): void {
    for (const { path: file, line, reason } of this.plan?.notes ?? [])
      this.reports.find((report) => report.path === file)?.notes.push({ line, reason });
  }

  private keepJournal(): void {
    const before = this.recorded && journalText(this.recorded);
    const file = path.join(this.root, JOURNAL);
    if (this.options.direction === 'reverse') {
      if (this.recorded === undefined) return;
      const packages = Object.fromEntries(
        Object.entries(this.recorded.packages).filter(([manifest]) => !this.isGivenBack(manifest)),
      );
      const { routes: _, ...rest } = this.recorded;
      const after = Object.keys(packages).length === 0 ? undefined : journalText({ ...rest, packages });
      // Last: until all is given back it is needed.
      if (after !== before) this.changes.push({ path: JOURNAL, before: readText(file), after });
      return;
    }
    const after = journalText(this.journal);
    // First: what is taken out is known before it is.
    if (this.changes.length > 0 && after !== before)
      this.changes.unshift({ path: JOURNAL, before: before === undefined ? undefined : readText(file), after });
  }

  /** Did the way back reach what the move took out of that package.json? */
  private isGivenBack(manifest: string): boolean {
    const report = this.reports.find((one) => one.path === manifest);
    if (report !== undefined && existsSync(path.join(this.root, manifest)))
      return report.status !== 'failed' && !this.owners.importsOurs(manifest);
    const lost = spoken({ text: '', removed: {}, added: this.recorded?.packages[manifest]?.removed ?? {} });
    this.told(
      fileReport({
        path: manifest,
        failed: `it is not here any more: give back by hand what the move took out (${lost}), then delete it from ${JOURNAL}`,
      }),
    );
    return false;
  }
}

const unrecorded = (text: string): FileReport['notes'] =>
  /"branchline"\s*:/.test(text)
    ? [{ line: 1, reason: `asks for branchline, and ${JOURNAL} does not name it: change its dependencies by hand` }]
    : [];

/** A folder that was moved by itself, or with more around it, goes back in the same way. @throws CodemodError BRANCHLINE_JOURNAL */
function refuseOtherJournals(root: string, files: readonly string[]): void {
  if (existsSync(path.join(root, JOURNAL))) return;
  const folders = new Set(files.map((file) => path.posix.dirname(file)));
  for (const folder of [...folders]) for (let up = folder; up !== '.'; up = path.posix.dirname(up)) folders.add(up);
  const below = [...folders].find((folder) => existsSync(path.join(root, folder, JOURNAL)));
  const parents: string[] = [];
  for (let up = path.dirname(root); up !== path.dirname(up); up = path.dirname(up)) parents.push(up);
  const other = below ?? parents.find((folder) => existsSync(path.join(folder, JOURNAL)));
  if (other !== undefined)
    throw new CodemodError('BRANCHLINE_JOURNAL', `This was moved from ${other} (${JOURNAL} is there): go back there.`);
}

/** From the folder of the package (or the whole, for a file of none) to the routes. */
const routesFrom = (owner: string | undefined): string =>
  path.posix.relative(path.posix.dirname(owner ?? ROUTES), ROUTES);

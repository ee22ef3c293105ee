/** `branchline assess`: a repository read, without running or changing anything of it. */
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { CodemodError } from '../failure';
import { MAX_BYTES, readText, sizeOfRegularFile, Unreadable } from '../files/text-file';
import { kindOf, walkFiles } from '../files/walk-files';
import { ProjectModules } from '../project-modules';
import { positionOf, SyntaxFault, withParsed } from '../source/parse';
import { unsupported } from '../transforms/unsupported';
import type { Finding, RepositoryFacts } from './facts';
import { type FileFacts, factsOfFile } from './file-facts';
import { type Estimate, estimateOf } from './estimate';
import { Linker } from './link';
import { measure, type Measurement, type MeasureOptions } from './measure';
import { DEFAULT_THRESHOLDS, type Thresholds, type Verdict, verdictsOf } from './verdict';

export interface AssessOptions {
  root: string;
  thresholds?: Thresholds;
  /** A running Temporal server that is asked about the types. */
  measure?: Omit<MeasureOptions, 'now'>;
  onProgress?: (done: number, total: number) => void;
}

export interface Assessment extends RepositoryFacts {
  thresholds: Thresholds;
  verdicts: Verdict[];
  measured?: Measurement;
  /** Of the types that move, if they do. */
  estimate?: Estimate;
}

/** Clients that a package of the repository makes are used without a name of Temporal's. */
const OF_TEMPORAL =
  /(?:@temporalio|branchline)\/|\bworkflow\s*\.\s*(?:start|execute|signalWithStart)\b|['"`]startWorkflow['"`]/;

/** A repository as it was read, and what its paths mean. */
export interface ReadRepository {
  facts: RepositoryFacts;
  /** The workflow types of a `workflowsPath` in a file; undefined: it leads to nothing known. */
  typesAt(from: string, specifier: string): string[] | undefined;
}

/** @throws CodemodError BRANCHLINE_NO_FOLDER, BRANCHLINE_NO_WORKFLOWS; what the server that is asked answers */
export async function assess({
  thresholds = DEFAULT_THRESHOLDS,
  measure: asked,
  ...options
}: AssessOptions): Promise<Assessment> {
  const { facts } = await readRepository(options);
  const types = facts.workflows.map(({ type }) => type);
  const measured = asked && (await measure(types, asked));
  const verdicts = verdictsOf(facts, thresholds, measured);
  const moving = verdicts.filter(({ verdict }) => verdict === 'move').map(({ type }) => type);
  const estimate = measured && estimateOf(moving, measured);
  return { ...facts, thresholds, verdicts, ...(measured && { measured }), ...(estimate && { estimate }) };
}

/** @throws CodemodError as {@link assess} */
export async function readRepository({
  root: given,
  onProgress,
}: Omit<AssessOptions, 'thresholds' | 'measure'>): Promise<ReadRepository> {
  const root = path.resolve(given);
  if (!existsSync(root) || !statSync(root).isDirectory())
    throw new CodemodError('BRANCHLINE_NO_FOLDER', `${given} is not a folder.`);
  const failed: RepositoryFacts['failed'] = [];
  const files = walkFiles(root, (folder, reason) => failed.push({ path: folder, reason }));
  const modules = new ProjectModules(root, files);
  const facts = new Map<string, FileFacts>();
  const refused: Finding[] = [];

  const read = (file: string, always: boolean): void => {
    if (facts.has(file) || kindOf(file) !== 'code') return;
    try {
      const size = sizeOfRegularFile(path.join(root, file));
      if (size === undefined || size > MAX_BYTES) return;
      const { text } = readText(path.join(root, file));
      if (!always && !OF_TEMPORAL.test(text)) return;
      withParsed(file, text, (parsed) => {
        facts.set(file, factsOfFile(parsed));
        if (!unsupported.concerns(text, 'forward')) return;
        for (const { code, reason, offset } of unsupported.apply(parsed, { direction: 'forward', modules }).leftovers) {
          refused.push({ path: file, line: positionOf(parsed.ast, offset).line, code, reason });
        }
      });
    } catch (error) {
      failed.push({ path: file, reason: reasonOf(error) });
    }
  };
  for (const [index, file] of files.entries()) {
    read(file, false);
    if (index % 50 === 49) await turn();
    onProgress?.(index + 1, files.length);
  }
  // What those import comes into bundles too, though it names nothing of Temporal's.
  for (const queue = [...facts.values()]; queue.length > 0;) {
    const { path: from, imports, entries } = queue.pop()!;
    const imported = imports.flatMap(({ specifier }) => modules.resolve(from, specifier) ?? []);
    const entered = entries.flatMap(({ specifier }) =>
      specifier === undefined ? [] : modules.entries(from, specifier),
    );
    for (const target of [...imported, ...entered]) {
      if (facts.has(target)) continue;
      read(target, true);
      const more = facts.get(target);
      if (more !== undefined) queue.push(more);
    }
  }
  const linker = new Linker(facts, modules, refused);
  const linked = linker.link();
  if (linked.workflows.length === 0) {
    throw new CodemodError(
      'BRANCHLINE_NO_WORKFLOWS',
      `No workflows were found below ${root}: nothing is given as workflowsPath, started by a client or as a child (${files.length} files looked at${failed.length === 0 ? '' : `, ${failed.length} of them could not be read`}).`,
    );
  }
  return {
    facts: { root, files: files.length, ...linked, unsupported: refused, failed },
    typesAt: (from, specifier) => linker.typesAt(from, specifier),
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof SyntaxFault)
    return `line ${error.at.line}, column ${error.at.column} does not parse: ${error.message}`;
  if (error instanceof Unreadable) return error.message;
  return error instanceof Error ? error.message : String(error);
}

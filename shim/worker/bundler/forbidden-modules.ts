/** Which modules workflow code may not import, and the error that says how each came in. */
import { builtinModules } from 'node:module';
import path from 'node:path';
import type { Metafile } from 'esbuild';
import { BranchlineError } from '../../common/branchline-error';
import { moduleMatches } from './options';

/** Node modules that workflow code may import: each gives only what is deterministic. */
export const allowedBuiltinModules = ['assert', 'url', 'util'];

export const disallowedBuiltinModules = builtinModules.filter((name) => !allowedBuiltinModules.includes(name));

const doors = ['activity', 'client', 'worker', 'testing'];

/** Temporal's list, the same doors of Branchline, and the database driver. */
export const disallowedModules = [
  ...disallowedBuiltinModules,
  ...doors.map((door) => `@temporalio/${door}`),
  ...doors.map((door) => `branchline/${door}`),
  ...['codemod', 'router', 'gateway', 'postgres'].map((door) => `branchline/${door}`),
  '@temporalio/core-bridge',
  '@temporalio/common/lib/internal-non-workflow',
  '@temporalio/interceptors-opentelemetry/lib/client',
  '@temporalio/interceptors-opentelemetry/lib/worker',
  '@temporalio/interceptors-opentelemetry-v2/lib/client',
  '@temporalio/interceptors-opentelemetry-v2/lib/worker',
  'pg',
];

export interface ForbiddenImport {
  /** Without the `node:` prefix. */
  module: string;
  /** Absolute path of the importing file. */
  importer: string;
}

export function isForbidden(request: string): boolean {
  return moduleMatches(request, disallowedModules);
}

/** Temporal's sentence, with the chain of files that leads to each module. */
export function forbiddenImportsError(found: ForbiddenImport[], metafile: Metafile | undefined): BranchlineError {
  const lines = [...new Map(found.map((item) => [`${item.module}\0${item.importer}`, item])).values()].map(
    ({ module, importer }) => `  - '${module}' (${importChain(importer, metafile).join(' <- ')})\n`,
  );
  return new BranchlineError(
    'BRANCHLINE_FORBIDDEN_IMPORT',
    'Your Workflow code (or a library used by your Workflow code) is importing the following disallowed modules:\n' +
      lines.join('') +
      "These modules can't be used in workflow context as they might break determinism. Consider the following options:\n" +
      ' • Make sure that activity code is not imported from workflow code. Use `import type` for the signatures of activities.\n' +
      ' • Move code that has non-deterministic behaviour to activities.\n' +
      " • If a disallowed module is certain not to be used at run time, add its name to 'bundlerOptions.ignoreModules'.",
  );
}

/** From the importing file back to the entry, shortest way, paths relative to the working directory. */
function importChain(importer: string, metafile: Metafile | undefined): string[] {
  const shown = (file: string) => path.relative(process.cwd(), path.resolve(file)) || file;
  if (metafile === undefined) return [`imported by ${shown(importer)}`];
  const importersOf = new Map<string, string>();
  for (const [file, input] of Object.entries(metafile.inputs)) {
    for (const imported of input.imports) {
      if (!importersOf.has(path.resolve(imported.path))) importersOf.set(path.resolve(imported.path), file);
    }
  }
  const chain = [`imported by ${shown(importer)}`];
  const seen = new Set<string>();
  for (let file: string | undefined = path.resolve(importer); file !== undefined && !seen.has(file);) {
    seen.add(file);
    const parent = importersOf.get(file);
    if (parent === undefined || parent === '<stdin>' || parent.endsWith('workflow-entry.cjs')) break;
    chain.push(shown(parent));
    file = path.resolve(parent);
  }
  return chain;
}

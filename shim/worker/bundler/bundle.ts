/** Workflow code and Temporal's runtime made into one script for the isolate. */
import path from 'node:path';
import vm from 'node:vm';
import { build, formatMessages, type BuildFailure, type Message } from 'esbuild';
import { BranchlineError } from '../../common/branchline-error';
import { BUNDLE_MARK } from '../isolate/bundle-mark';
import { commonBuildOptions } from './esbuild-options';
import { forbiddenImportsError, type ForbiddenImport } from './forbidden-modules';
import { moduleRules } from './module-rules';
import {
  checkBundleOptions,
  type BundleOptions,
  type CheckedBundleOptions,
  type WorkflowBundleWithSourceMap,
} from './options';
import { refuseResidue } from './residue';
import { locateRuntime } from './runtime-location';
import { buildRuntimePart, outputs, type RuntimePart } from './runtime-part';
import { bundleWithWebpack } from './webpack';
import { inlineMap, joinMaps, parseMap, type SourceMap } from './source-map';

/**
 * Bundles workflow code, as `bundleWorkflowCode` of `@temporalio/worker` does, with esbuild.
 * The result may be written to a file and given to `Worker.create` as `workflowBundle`.
 *
 * @throws BranchlineError `BRANCHLINE_FORBIDDEN_IMPORT` when workflow code imports what would break determinism,
 *   `BRANCHLINE_BUNDLE_FAILED` when it cannot be parsed or a module is missing, `BRANCHLINE_TODO_LEFT` when it holds
 *   a `@branchline-todo` of the codemod's; for those of webpack see `webpackConfigHook`
 */
export async function bundleWorkflowCode(options: BundleOptions): Promise<WorkflowBundleWithSourceMap> {
  const checked = checkBundleOptions(options);
  if (checked.webpackConfigHook !== undefined) return bundleWithWebpack(checked);
  const resolveDir = path.dirname(path.resolve(checked.workflowsPath));
  const runtime = locateRuntime(path.resolve(checked.workflowsPath));
  const { preloadModules, ignoreModules } = checked;
  const runtimePart = await buildRuntimePart({ runtime, preloadModules, resolveDir, ignoreModules }).catch(
    refuse(checked, []),
  );
  if (runtimePart.forbidden.length > 0) throw forbiddenImportsError(runtimePart.forbidden, undefined);

  const forbidden: ForbiddenImport[] = [];
  const rules = moduleRules({
    runtime,
    ignoreModules,
    forbidden,
    shared: runtimePart.modules,
    lookUpAll: preloadModules.length > 0,
  });
  const user = await build({
    ...commonBuildOptions,
    format: 'cjs',
    absWorkingDir: process.cwd(),
    outfile: path.join(resolveDir, 'workflow-code.js'),
    sourcesContent: true,
    stdin: { contents: userEntry(checked), resolveDir, sourcefile: 'workflow-entry.cjs' },
    plugins: [rules],
  }).catch(refuse(checked, forbidden));
  if (forbidden.length > 0) throw forbiddenImportsError(forbidden, user.metafile);
  await report(checked, user.warnings);
  const [map, code] = outputs(user.outputFiles);
  const userMap = parseMap(map, resolveDir);
  refuseResidue(userMap);
  const joined = join(code, userMap, runtimePart);
  checked.logger?.info('Workflow bundle created', { size: `${(joined.length / 2 ** 20).toFixed(2)}MB` });
  return { code: joined, sourceMap: 'deprecated: the source map is inline in the code\n' };
}

/** Everything stays lazy: a run evaluates it with its activator in place. */
function userEntry({
  workflowsPath,
  interceptorModules,
  payloadConverterPath,
  failureConverterPath,
}: CheckedBundleOptions): string {
  const required = (name: string) => `require(${JSON.stringify(name)})`;
  return [
    `exports.workflows = () => ${required(path.resolve(workflowsPath))};`,
    `exports.interceptors = () => [${interceptorModules.map(required).join(', ')}];`,
    payloadConverterPath === undefined ? '' : `exports.payloadConverter = () => ${required(payloadConverterPath)};`,
    failureConverterPath === undefined ? '' : `exports.failureConverter = () => ${required(failureConverterPath)};`,
  ].join('\n');
}

/**
 * User code runs in strict mode, as ES modules do and as esbuild does with any bundle that has some. Only when a
 * library's CommonJS code is not valid in strict mode is all of it sloppy.
 */
function join(code: string, map: SourceMap, runtimePart: RuntimePart): string {
  const script = (directive: string) =>
    `${BUNDLE_MARK}\nconst __branchlineUserCode = function (module, exports, require) {${directive}\n${code}\n};\n${runtimePart.code}`;
  const userLine = 2;
  const runtimeLine = userLine + code.split('\n').length + 1;
  const parts = [
    { line: userLine, map },
    { line: runtimeLine, map: runtimePart.map },
  ];
  const strict = script(" 'use strict';");
  return (parses(strict) ? strict : script('')) + inlineMap(joinMaps(parts));
}

function parses(code: string): boolean {
  try {
    new vm.Script(code);
    return true;
  } catch {
    return false;
  }
}

function refuse(checked: CheckedBundleOptions, forbidden: ForbiddenImport[]): (error: BuildFailure) => Promise<never> {
  return async (error) => {
    if (forbidden.length > 0) throw forbiddenImportsError(forbidden, undefined);
    if (!Array.isArray(error.errors)) throw error;
    const text = (await formatMessages(error.errors, { kind: 'error', color: false })).join('');
    checked.logger?.error(text);
    throw new BranchlineError('BRANCHLINE_BUNDLE_FAILED', `Workflow code could not be bundled:\n${text}`, {
      cause: error,
    });
  };
}

async function report(checked: CheckedBundleOptions, warnings: Message[]): Promise<void> {
  if (warnings.length === 0 || checked.logger === undefined) return;
  for (const text of await formatMessages(warnings, { kind: 'warning', color: false })) checked.logger.warn(text);
}

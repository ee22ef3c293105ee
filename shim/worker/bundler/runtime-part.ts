/**
 * The part of a bundle that a reusable context evaluates once: Temporal's workflow runtime, plus preloaded modules.
 * It is the same for all users of one installation, so it is built once per process.
 */
import path from 'node:path';
import { build, type BuildOptions } from 'esbuild';
import { commonBuildOptions } from './esbuild-options';
import type { ForbiddenImport } from './forbidden-modules';
import { moduleRules } from './module-rules';
import type { RuntimeLocation } from './runtime-location';
import { parseMap, type SourceMap } from './source-map';

export interface RuntimePart {
  code: string;
  map: SourceMap;
  /** Real path → key of every module inside, for the user part to share. */
  modules: ReadonlyMap<string, string>;
  forbidden: ForbiddenImport[];
}

export interface RuntimePartOptions {
  runtime: RuntimeLocation;
  /** As the user wrote them; looked up from `resolveDir`. */
  preloadModules: string[];
  resolveDir: string;
  ignoreModules: string[];
}

const built = new Map<string, Promise<RuntimePart>>();

export async function buildRuntimePart(options: RuntimePartOptions): Promise<RuntimePart> {
  if (options.preloadModules.length > 0) return buildNow(options);
  const key = options.runtime.workflow;
  const earlier = built.get(key);
  if (earlier !== undefined) return earlier;
  const part = buildNow(options);
  built.set(key, part);
  part.catch(() => built.delete(key));
  return part;
}

async function buildNow(options: RuntimePartOptions): Promise<RuntimePart> {
  const { runtime, preloadModules, resolveDir, ignoreModules } = options;
  const forbidden: ForbiddenImport[] = [];
  // Paths in the output are relative to it: the same wherever the user's files lie.
  const root = path.resolve(runtime.workflow, '../../..');
  const settings = (modules: ReadonlyMap<string, string>): BuildOptions => ({
    ...commonBuildOptions,
    format: 'iife',
    globalName: '__TEMPORAL__',
    absWorkingDir: root,
    outfile: path.join(root, 'workflow-runtime.js'),
    sourcesContent: false,
    stdin: { contents: entry(preloadModules, modules), resolveDir, sourcefile: 'runtime-entry.cjs' },
    plugins: [moduleRules({ runtime, ignoreModules, forbidden })],
  });
  const first = await build({ ...settings(new Map()), sourcemap: false });
  const modules = new Map<string, string>();
  for (const file of Object.keys(first.metafile?.inputs ?? {})) {
    if (file.includes('runtime-entry.cjs') || file.startsWith('branchline:')) continue;
    const real = path.resolve(root, file);
    modules.set(real, moduleKey(real, modules.size));
  }
  const second = await build(settings(modules));
  const [map, code] = outputs(second.outputFiles);
  return { code, map: parseMap(map, root), modules, forbidden };
}

/** A name that does not depend on where the package lies; files outside `node_modules` get a number. */
function moduleKey(file: string, index: number): string {
  const parts = file.split(/[\\/]node_modules[\\/]/);
  return parts.length > 1 ? parts.at(-1)!.replaceAll('\\', '/') : `preloaded/${index}`;
}

export function outputs(files: { path: string; text: string }[] | undefined): [map: string, code: string] {
  const map = files?.find((file) => file.path.endsWith('.map'));
  const code = files?.find((file) => !file.path.endsWith('.map'));
  if (map === undefined || code === undefined) throw new Error('esbuild gave no output');
  return [map.text, code.text];
}

/** `__branchlineUserCode` is the user part, a function of (module, exports, require), defined before this in the same script. */
function entry(preloadModules: string[], modules: ReadonlyMap<string, string>): string {
  const list = [...modules].map(([file, key]) => `  ${JSON.stringify(key)}: () => require(${JSON.stringify(file)}),`);
  return `
const activators = require('@temporalio/workflow/lib/global-attributes.js');
// Before the overrides: it keeps the true Math.random for workflowInfo().unsafe.random.
exports.api = require('@temporalio/workflow/lib/worker-interface.js');
require('@temporalio/workflow/lib/global-overrides.js').overrideGlobals();
require('@temporalio/workflow');
require('@temporalio/common');

const modules = {
${list.join('\n')}
};
function requireShared(name) {
  if (Object.hasOwn(modules, name)) return modules[name]();
  throw Object.assign(new Error("Cannot find module '" + name + "'"), { code: 'MODULE_NOT_FOUND' });
}
// As under webpack: the id of a module, of no use outside of the bundle.
requireShared.resolve = (name) => name;
const instances = new WeakMap();
exports.userCode = function userCode() {
  const activator = activators.getActivator();
  let code = instances.get(activator);
  if (code === undefined) {
    const module = { exports: {} };
    __branchlineUserCode(module, module.exports, requireShared);
    instances.set(activator, (code = module.exports));
  }
  return code;
};
exports.importWorkflows = () => exports.userCode().workflows();
exports.importInterceptors = () => exports.userCode().interceptors();
exports.preloadModules = () => {
${preloadModules.map((name) => `  require(${JSON.stringify(name)});`).join('\n')}
};
exports.sharedModules = () => Object.values(modules).map((load) => load());
const { Activator } = require('@temporalio/workflow/lib/internals.js');
exports.exportedNames = (options) => {
  activators.setActivator(new Activator(options));
  try {
    exports.importInterceptors();
    return Object.keys(exports.importWorkflows());
  } finally {
    activators.setActivator(undefined);
  }
};
exports.rawValue = (value) => new (require('@temporalio/common').RawValue)(value);
`;
}

/** The esbuild plugin that decides what each import of workflow code stands for. */
import fs from 'node:fs';
import path from 'node:path';
import type { OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from 'esbuild';
import { allowedBuiltinModules, isForbidden, type ForbiddenImport } from './forbidden-modules';
import { moduleMatches } from './options';
import type { RuntimeLocation } from './runtime-location';

/** Sources of the modules that the bundler itself supplies. */
const supplied: Record<string, string> = {
  empty: 'module.exports = {};',
  assert: 'module.exports = globalThis.assert;',
  url: 'module.exports = { URL, URLSearchParams };',
  util: 'module.exports = { TextEncoder, TextDecoder };',
  // The runtime part is shared, the converters belong to the run: read at each use.
  payloadConverter:
    'module.exports = { get payloadConverter() { return globalThis.__TEMPORAL__.userCode().payloadConverter?.().payloadConverter; } };',
  failureConverter:
    'module.exports = { get failureConverter() { return globalThis.__TEMPORAL__.userCode().failureConverter?.().failureConverter; } };',
};
const NAMESPACE = 'branchline';
const OPENTELEMETRY =
  /[\\/](?:@temporalio|contrib)[\\/]interceptors-opentelemetry(?:-v2)?[\\/](?:src|lib)[\\/]workflow$/;

export interface ModuleRules {
  runtime: RuntimeLocation;
  ignoreModules: string[];
  forbidden: ForbiddenImport[];
  /** Real path → key, of modules that the runtime part holds; they stay `require(key)`. Undefined: bundle everything. */
  shared?: ReadonlyMap<string, string>;
  /** Some shared modules lie outside Temporal's packages, so every import must be looked up. */
  lookUpAll?: boolean;
}

export function moduleRules(rules: ModuleRules): Plugin {
  return {
    name: 'branchline-workflow',
    setup(build) {
      build.onResolve({ filter: /.*/, namespace: 'file' }, (args) => resolveImport(build, rules, args));
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, (args) => ({ contents: supplied[args.path], loader: 'js' }));
    },
  };
}

/** Set while a resolution asked by this plugin is under way, so that it is not taken up again. */
const asked = Symbol('asked');

async function resolveImport(
  build: PluginBuild,
  rules: ModuleRules,
  args: OnResolveArgs,
): Promise<OnResolveResult | undefined> {
  if (args.pluginData === asked || args.kind === 'entry-point') return undefined;
  const own = byName(rules, args);
  if (own !== undefined) return own;
  const { runtime } = rules;
  const request = args.path.replace(/^branchline\/(workflow|common)(?=$|\/)/, '@temporalio/$1');
  const [, name, rest] = /^@temporalio\/(workflow|common)(\/.*)?$/.exec(request) ?? [];
  const relative = request.startsWith('.');
  if (relative && OPENTELEMETRY.test(args.resolveDir) && /^\.\/workflow-imports(\.js)?$/.test(request)) {
    return ask(build, args, './workflow-imports-impl', args.resolveDir);
  }
  if (name !== undefined) {
    const directory = name === 'workflow' ? runtime.workflow : runtime.common;
    return kept(rules, await ask(build, args, rest === undefined ? './lib/index.js' : `.${rest}`, directory));
  }
  const fromRuntime = inside(args.resolveDir, runtime.workflow) || inside(args.resolveDir, runtime.common);
  if (rules.shared === undefined || !(rules.lookUpAll === true || fromRuntime || sharedPackages.test(request)))
    return undefined;
  return kept(rules, await ask(build, args, request, args.resolveDir));
}

/** Packages that the runtime part may hold besides Temporal's own. */
const sharedPackages = /^(nexus-rpc|long|ms)(\/|$)/;

function byName(rules: ModuleRules, args: OnResolveArgs): OnResolveResult | undefined {
  if (args.path.startsWith('__temporal_custom_')) {
    return give(args.path === '__temporal_custom_payload_converter' ? 'payloadConverter' : 'failureConverter');
  }
  const request = args.path.startsWith('node:') ? args.path.slice(5) : args.path;
  if (moduleMatches(request, rules.ignoreModules)) return give('empty');
  if (allowedBuiltinModules.includes(request)) return give(request);
  if (!isForbidden(request)) return undefined;
  if (markedOptional(args)) return { path: args.path, external: true };
  rules.forbidden.push({ module: request, importer: args.importer });
  return give('empty');
}

function give(name: string): OnResolveResult {
  return { path: name, namespace: NAMESPACE };
}

async function ask(
  build: PluginBuild,
  args: OnResolveArgs,
  request: string,
  resolveDir: string,
): Promise<OnResolveResult | undefined> {
  const { kind, importer } = args;
  const found = await build.resolve(request, { kind, importer, resolveDir, pluginData: asked });
  // Left to esbuild, which words the error (or lets a `try { require() }` pass).
  if (found.errors.length > 0) return undefined;
  const { path: file, namespace, sideEffects, external, suffix } = found;
  return { path: file, namespace, sideEffects, external, suffix };
}

function kept(rules: ModuleRules, result: OnResolveResult | undefined): OnResolveResult | undefined {
  const key = result?.path === undefined ? undefined : rules.shared?.get(result.path);
  return key === undefined ? result : { path: key, external: true };
}

/** `require(/* webpackIgnore: true *\/ 'fs')`: a library's own probe, which it guards. */
function markedOptional(args: OnResolveArgs): boolean {
  if (args.kind !== 'require-call') return false;
  const call = new RegExp(`require\\(\\s*/\\*\\s*webpackIgnore:\\s*true\\s*\\*/\\s*["']${args.path}["']`);
  return call.test(fs.readFileSync(args.importer, 'utf8'));
}

function inside(directory: string, parent: string): boolean {
  return directory === parent || directory.startsWith(parent + path.sep);
}

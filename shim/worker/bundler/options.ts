/** The bundler's options, name for name those of `@temporalio/worker`. */
import type { Logger } from '@temporalio/common';

/** Changes bundle options before a bundle is made. */
export interface BundlerPlugin {
  get name(): string;
  configureBundler?(options: BundleOptions): BundleOptions;
}

/** Options of {@link bundleWorkflowCode}. */
export interface BundleOptions {
  /** File or folder; every function it exports becomes a workflow type. */
  workflowsPath: string;
  /** Modules that export `interceptors`, a `WorkflowInterceptorsFactory`. */
  workflowInterceptorModules?: string[];
  logger?: Logger;
  /** Module with a `payloadConverter` export. */
  payloadConverterPath?: string;
  /** Module with a `failureConverter` export. */
  failureConverterPath?: string;
  /** Modules replaced by an empty one. They must not be used at run time. */
  ignoreModules?: string[];
  /**
   * Modules evaluated once per reusable context and shared, frozen, by its workflows (default: none).
   * They load before any workflow exists, so they may not call the workflow API at their top level.
   */
  preloadModules?: string[];
  /**
   * Changes webpack's configuration. With it the bundle is made by Temporal's own bundler instead of esbuild: slower, and
   * `@temporalio/worker` must be installed (`BRANCHLINE_UNSUPPORTED_OPTION` otherwise). `config` is webpack's `Configuration`, whose types
   * are not asked for here.
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- code that reads and changes it must compile without webpack
  webpackConfigHook?: (config: any) => any;
  plugins?: BundlerPlugin[];
}

/** What the bundler gives: one self-contained script with its source map inline. */
export interface WorkflowBundleWithSourceMap {
  code: string;
  /** @deprecated The map is inline in `code`; kept because Temporal's type has it. */
  sourceMap: string;
}

/** Options after plugins, defaults and checks. */
export interface CheckedBundleOptions {
  workflowsPath: string;
  interceptorModules: string[];
  payloadConverterPath: string | undefined;
  failureConverterPath: string | undefined;
  ignoreModules: string[];
  preloadModules: string[];
  logger: Logger | undefined;
  webpackConfigHook: BundleOptions['webpackConfigHook'];
}

/** Applies plugins, fills defaults, refuses what cannot be honoured. */
export function checkBundleOptions(given: BundleOptions): CheckedBundleOptions {
  let options = given;
  for (const plugin of given.plugins ?? []) {
    options = plugin.configureBundler?.(options) ?? options;
  }
  if (typeof options.workflowsPath !== 'string' || options.workflowsPath === '') {
    throw new TypeError("Option 'workflowsPath' must be the path of a file or folder with workflow functions");
  }
  const ignoreModules = options.ignoreModules ?? [];
  const preloadModules = [...new Set(options.preloadModules ?? [])];
  const both = preloadModules.filter((name) => moduleMatches(name, ignoreModules));
  if (both.length > 0) {
    throw new Error(`Cannot preload modules that are also ignored: ${both.map((name) => `'${name}'`).join(', ')}`);
  }
  return {
    workflowsPath: options.workflowsPath,
    interceptorModules: [...new Set(options.workflowInterceptorModules ?? [])],
    payloadConverterPath: options.payloadConverterPath,
    failureConverterPath: options.failureConverterPath,
    ignoreModules,
    preloadModules,
    logger: options.logger,
    webpackConfigHook: options.webpackConfigHook,
  };
}

/** Whether `request` names one of the modules or something inside one. */
export function moduleMatches(request: string, modules: readonly string[]): boolean {
  return modules.some((name) => request === name || request.startsWith(`${name}/`));
}

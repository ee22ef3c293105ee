/** The bundle that a worker runs: given, read from a file, or made from `workflowsPath`. */
import * as fs from 'node:fs/promises';
import type { Logger } from '@temporalio/common';
import { bundleWorkflowCode } from './bundler/bundle';
import type { BundlerPlugin } from './bundler/options';
import type { CompiledWorkerOptions } from './compiled-options';
import type { WorkflowBundle } from './isolate/types';

type Options = Pick<
  CompiledWorkerOptions,
  'workflowBundle' | 'workflowsPath' | 'bundlerOptions' | 'interceptors' | 'dataConverter' | 'plugins'
>;

/** Undefined when the worker has no workflows. */
export async function getOrCreateBundle(options: Options, logger: Logger): Promise<WorkflowBundle | undefined> {
  const { workflowBundle, workflowsPath, bundlerOptions, interceptors, dataConverter } = options;
  if (workflowBundle !== undefined) {
    if (workflowsPath !== undefined) {
      logger.warn('Ignoring WorkerOptions.workflowsPath because WorkerOptions.workflowBundle is set');
    }
    if (bundlerOptions !== undefined) {
      logger.warn('Ignoring WorkerOptions.bundlerOptions because WorkerOptions.workflowBundle is set');
    }
    if (interceptors.workflowModules.length > 0) {
      logger.warn(
        'Ignoring WorkerOptions.interceptors.workflowModules because WorkerOptions.workflowBundle is set.\n' +
          'To use workflow interceptors with a workflowBundle, pass them in the call to bundleWorkflowCode.',
      );
    }
    if ('code' in workflowBundle && typeof workflowBundle.code === 'string') {
      return { code: workflowBundle.code, filename: 'workflow-bundle.js' };
    }
    if ('codePath' in workflowBundle && typeof workflowBundle.codePath === 'string') {
      return { code: await fs.readFile(workflowBundle.codePath, 'utf8'), filename: workflowBundle.codePath };
    }
    throw new TypeError('Invalid WorkflowOptions.workflowBundle');
  }
  if (workflowsPath === undefined) return undefined;
  const { code } = await bundleWorkflowCode({
    logger,
    workflowsPath,
    workflowInterceptorModules: interceptors.workflowModules,
    failureConverterPath: dataConverter?.failureConverterPath,
    payloadConverterPath: dataConverter?.payloadConverterPath,
    ignoreModules: bundlerOptions?.ignoreModules,
    preloadModules: bundlerOptions?.preloadModules,
    webpackConfigHook: bundlerOptions?.webpackConfigHook,
    plugins: options.plugins as BundlerPlugin[] | undefined,
  });
  return { code, filename: 'workflow-bundle.js' };
}

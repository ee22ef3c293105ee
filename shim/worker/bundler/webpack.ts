/** Bundles made by webpack, for those who configure it: by Temporal's own bundler, which has to be installed beside us. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { BranchlineOptionError } from '../../common/errors';
import type { CheckedBundleOptions, WorkflowBundleWithSourceMap } from './options';

interface TemporalBundler {
  WorkflowCodeBundler: new (options: object) => { createBundle(): Promise<WorkflowBundleWithSourceMap> };
}

const bundlerModule = '@temporalio/worker/lib/workflow/bundler';

/** @throws BranchlineOptionError when `@temporalio/worker` is not installed; what webpack throws, as it is */
export async function bundleWithWebpack(checked: CheckedBundleOptions): Promise<WorkflowBundleWithSourceMap> {
  const { interceptorModules: workflowInterceptorModules, ...options } = checked;
  const { WorkflowCodeBundler } = temporalBundler([path.dirname(path.resolve(checked.workflowsPath)), process.cwd()]);
  return new WorkflowCodeBundler({ ...options, workflowInterceptorModules }).createBundle();
}

/**
 * The bundler as seen from one of these folders, the application's.
 * @throws BranchlineOptionError when none of them sees it
 */
export function temporalBundler(folders: string[]): TemporalBundler {
  for (const folder of folders) {
    const seen = createRequire(path.join(folder, 'package.json'));
    try {
      seen.resolve(bundlerModule);
    } catch {
      continue;
    }
    return seen(bundlerModule) as TemporalBundler;
  }
  throw new BranchlineOptionError(
    'webpackConfigHook',
    "workflow code is bundled with esbuild; for webpack's bundle install '@temporalio/worker' (its bundler makes it), or remove the option.",
  );
}

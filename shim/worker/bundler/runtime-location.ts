/** Finds the one copy of Temporal's workflow runtime that a bundle is built on. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { BranchlineError } from '../../common/branchline-error';
import { requireSupportedSdk } from '../../common/sdk-version';

export interface RuntimeLocation {
  /** Real directory of `@temporalio/workflow`. */
  workflow: string;
  /** Real directory of the `@temporalio/common` that it uses. */
  common: string;
  /** Version of `@temporalio/workflow`. */
  version: string;
}

/** The user's copy, seen from `workflowsPath`; ours when there is none. @throws BranchlineError `BRANCHLINE_RUNTIME_MISSING`, `BRANCHLINE_SDK_VERSION` */
export function locateRuntime(workflowsPath: string): RuntimeLocation {
  const workflow =
    packageDirectory('@temporalio/workflow', workflowsPath) ?? packageDirectory('@temporalio/workflow', __filename);
  if (workflow === undefined) {
    throw new BranchlineError('BRANCHLINE_RUNTIME_MISSING', "Package '@temporalio/workflow' is not installed");
  }
  const common = packageDirectory('@temporalio/common', path.join(workflow, 'package.json'));
  if (common === undefined) {
    throw new BranchlineError('BRANCHLINE_RUNTIME_MISSING', "Package '@temporalio/common' is not installed");
  }
  const { version } = JSON.parse(fs.readFileSync(path.join(workflow, 'package.json'), 'utf8')) as { version: string };
  requireSupportedSdk(`@temporalio/workflow (${workflow})`, version);
  return { workflow, common, version };
}

function packageDirectory(name: string, from: string): string | undefined {
  try {
    return fs.realpathSync(path.dirname(createRequire(path.resolve(from)).resolve(`${name}/package.json`)));
  } catch {
    return undefined;
  }
}

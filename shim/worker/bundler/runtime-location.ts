/** Finds the one copy of Temporal's workflow runtime that a bundle is built on. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { BranchlineError } from '../../common/branchline-error';

export interface RuntimeLocation {
  /** Real directory of `@temporalio/workflow`. */
  workflow: string;
  /** Real directory of the `@temporalio/common` that it uses. */
  common: string;
  /** Version of `@temporalio/workflow`. */
  version: string;
}

/** The user's copy, seen from `workflowsPath`; ours when there is none. */
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
  const [major = 0, minor = 0] = version.split('.').map(Number);
  // 1.11 brought `initialize`, which the host's activation algorithm needs.
  if (major !== 1 || minor < 11) {
    throw new BranchlineError(
      'BRANCHLINE_RUNTIME_UNSUPPORTED',
      `'@temporalio/workflow' ${version} (${workflow}) cannot be driven: install 1.14 or later of major 1`,
    );
  }
  return { workflow, common, version };
}

function packageDirectory(name: string, from: string): string | undefined {
  try {
    return fs.realpathSync(path.dirname(createRequire(path.resolve(from)).resolve(`${name}/package.json`)));
  } catch {
    return undefined;
  }
}

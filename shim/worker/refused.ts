/** Names of Temporal's worker that stand for things Branchline does not have: using them says so. */
import { BranchlineError, BranchlineOptionError } from '../common/errors';
import type { ResourceBasedTunerOptions } from './worker-tuner';

/** Refused: slots are of fixed size. */
export class ResourceBasedController {
  private constructor() {}

  static create(_options: ResourceBasedTunerOptions): ResourceBasedController {
    throw new BranchlineOptionError('tuner.controller', "use 'fixed-size' slot suppliers or maxConcurrent… options.");
  }
}

/** Refused: the debugger extension speaks to Temporal's worker. Replay with `Worker.runReplayHistory` under a debugger instead. */
export function startDebugReplayer(_options: object): never {
  throw new BranchlineError(
    'BRANCHLINE_UNSUPPORTED',
    'startDebugReplayer is not supported: run Worker.runReplayHistory(options, history) under a debugger instead; it runs in the main thread.',
  );
}

/** What the service refuses while the fence is up: it needs an answer of a worker, and workers get no work. Everything else is written down and waits. */
import { Code, ServiceError } from '../errors';

const NEEDS_A_WORKER = new Set(['queryWorkflow', 'updateWorkflowExecution', 'executeMultiOperation']);

/** @throws ServiceError FAILED_PRECONDITION, with BRANCHLINE_FENCED */
export function refuseFenced(method: string): void {
  if (!NEEDS_A_WORKER.has(method)) return;
  throw new ServiceError(
    Code.FAILED_PRECONDITION,
    `${method} needs a worker, and no work is given out since the database was restored: see 'branchline restore check', and end the fence with 'branchline restore release' (BRANCHLINE_FENCED).`,
  );
}

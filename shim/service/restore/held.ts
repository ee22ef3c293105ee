/** Runs that a restore has left held: nothing is done in them until an operator resumes them. */
import { Code, ServiceError } from '../errors';

class RunHeldError extends ServiceError {
  constructor(runId: string) {
    super(
      Code.FAILED_PRECONDITION,
      `Run ${runId} is held since a restore of the database: 'branchline restore resume ${runId}' lets it go on, 'branchline restore cancel ${runId}' ends it (BRANCHLINE_RUN_HELD).`,
    );
  }
}

export const runIsHeld = (runId: string): ServiceError => new RunHeldError(runId);
export const isHeld = (error: unknown): boolean => error instanceof RunHeldError;

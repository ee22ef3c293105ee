/** What is asked for cannot join a caller's transaction. */
import { BranchlineError } from '../../common/branchline-error';

export const notInTransaction = (message: string): BranchlineError =>
  new BranchlineError('BRANCHLINE_NOT_IN_TRANSACTION', message);

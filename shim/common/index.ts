/** Drop-in for `@temporalio/common`, with the errors that are Branchline's own. @module */
export * from '@temporalio/common';
export { BranchlineError, BranchlineOptionError } from './errors';

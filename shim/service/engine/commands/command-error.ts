/** A command that cannot be carried out. The whole completion is dropped and its workflow task fails with the cause. */
import { temporal } from '@temporalio/proto';

export const TaskFailedCause = temporal.api.enums.v1.WorkflowTaskFailedCause;
export type TaskFailedCause = temporal.api.enums.v1.WorkflowTaskFailedCause;

export class CommandError extends Error {
  constructor(
    readonly failedCause: TaskFailedCause,
    /** What is wrong, in the server's words; '' when the cause says it all. */
    reason: string,
    /** Oversized payloads: the server does not let the workflow try again, it terminates it. */
    readonly terminatesWorkflow = false,
  ) {
    super(reason);
    this.name = 'CommandError';
  }
}

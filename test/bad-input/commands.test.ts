/** Commands of workflow code that Temporal's server refuses: the task fails with its cause and is tried again, nothing else is lost. */
import { temporal } from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import { bench, make, taskFailure } from './bench';

const Cause = temporal.api.enums.v1.WorkflowTaskFailedCause;

describe('a workflow task fails', () => {
  it.each([
    [
      'an unknown search attribute',
      Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES,
      'BadSearchAttributes: Namespace default has no mapping defined for search attribute Nobody',
    ],
    [
      'a search attribute of the wrong type',
      Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES,
      'BadSearchAttributes: invalid value for search attribute Amount of type Int: [x]',
    ],
    [
      'an activity without a timeout',
      Cause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
      'Required either scheduleToCloseTimeout or startToCloseTimeout',
    ],
    [
      'an activity with a negative timeout',
      Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES,
      'Invalid StartToCloseTimeout for ScheduleActivityTaskCommand: negative duration',
    ],
    [
      'an activity with a bad retry policy',
      Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES,
      'BackoffCoefficient cannot be less than 1 on retry policy.',
    ],
    [
      'a child with a long id',
      Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES,
      'WorkflowId on StartChildWorkflowExecutionCommand exceeds length limit.',
    ],
    [
      'a child with a bad cron schedule',
      Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES,
      'invalid CronSchedule on StartChildWorkflowExecutionCommand',
    ],
  ])('for %s', async (what, cause, message) => {
    const { run } = await bench();
    await run(async (h) => {
      await h.connection.operatorService.addSearchAttributes({ namespace: 'default', searchAttributes: { Amount: 3 } });
      const handle = await make(h, what);
      const failed = await taskFailure(handle);
      expect(failed.cause).toBe(cause);
      expect(failed.failure?.message).toContain(message);
      expect((await handle.describe()).status.name).toBe('RUNNING');
      await handle.terminate('seen enough');
    });
  });
});

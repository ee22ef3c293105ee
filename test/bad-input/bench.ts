/** A running worker with the bad workflows, and what a workflow came to. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { bundleWorkflowCode } from '../../shim/worker/bundler/bundle';
import type { WorkerOptions } from '../../shim/worker/worker-options';
import type { TestSchema } from '../support/database';
import { madeFrom } from '../support/histories';
import { harness, type Harness } from '../worker/harness';
import { badActivities } from './activities';

export const workflowsPath = join(__dirname, 'workflows.ts');

let bundle: Promise<{ code: string }> | undefined;

export async function bench(
  options: Partial<WorkerOptions> = {},
  database?: TestSchema,
): Promise<Awaited<ReturnType<typeof harness>>> {
  bundle ??= bundleWorkflowCode({ workflowsPath }).then((made) => madeFrom(workflowsPath, made));
  return harness({ workflowBundle: await bundle, activities: badActivities(), ...options }, database);
}

/** Starts `makes` with that argument. */
export const make = (h: Harness, what: string): Promise<WorkflowHandle> =>
  h.client.workflow.start('makes', {
    taskQueue: h.taskQueue,
    workflowId: `${what}-${randomUUID()}`,
    args: [what],
    workflowExecutionTimeout: '60s',
  });

export const errorOf = (work: Promise<unknown>): Promise<Error & { cause?: unknown }> =>
  work.then(
    (value) => {
      throw new Error(`It did not fail, it gave ${String(value).slice(0, 100)}`);
    },
    (error: unknown) => error as Error,
  );

type TaskFailed = temporal.api.history.v1.IWorkflowTaskFailedEventAttributes;

/** The first failure of a workflow task, as the history tells it. */
export async function taskFailure(handle: WorkflowHandle): Promise<TaskFailed> {
  for (let i = 0; i < 200; i++) {
    const { events } = await handle.fetchHistory();
    const failed = events?.find((event) => event.workflowTaskFailedEventAttributes != null);
    if (failed) return failed.workflowTaskFailedEventAttributes!;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('No workflow task failed');
}

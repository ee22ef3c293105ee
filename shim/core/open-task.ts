/** The workflow task a run works on. */
import { LEGACY_QUERY_ID, queryJob } from './activation';
import type { ActivationJob, WorkflowTask } from './types';

export interface OpenTask {
  token: Uint8Array;
  attempt: number;
  /** Query jobs still to be sent; they go in an activation of their own when all else is done. */
  queries: ActivationJob[];
  heartbeatAsked: boolean;
}

export function openTask(task: WorkflowTask): OpenTask {
  const queries = Object.entries(task.queries ?? {}).map(([id, query]) => queryJob(id, query));
  if (task.query) queries.push(queryJob(LEGACY_QUERY_ID, task.query));
  return { token: task.taskToken ?? new Uint8Array(), attempt: task.attempt ?? 1, queries, heartbeatAsked: false };
}

/** Whether a query with an RPC of its own waits in the task. */
export function asksLegacyQuery(task: OpenTask): boolean {
  return task.queries.some((job) => job.queryWorkflow?.queryId === LEGACY_QUERY_ID);
}

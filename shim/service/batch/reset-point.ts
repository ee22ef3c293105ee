/** Where a batch resets a run to: as clients find it, from the history or from the reset points that describe shows. */
import { temporal } from '@temporalio/proto';
import { int64 } from '../../common/proto-values';
import { notFound } from '../errors';
import type { Call, NamedRun } from './operations';

type ResetOptions = temporal.api.common.v1.IResetOptions;
type History = temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryResponse;
type Description = temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse;

const { EVENT_TYPE_WORKFLOW_TASK_COMPLETED: COMPLETED, EVENT_TYPE_WORKFLOW_TASK_SCHEDULED: SCHEDULED } =
  temporal.api.enums.v1.EventType;

/** The first event that the reset run does not take over. NOT_FOUND when there is no such point. */
export async function resetPoint(call: Call, run: NamedRun, options: ResetOptions): Promise<number> {
  const named = int64(options.workflowTaskId);
  if (named > 0) return named;
  if (options.buildId) return buildIdPoint(call, run, options.buildId);
  if (options.firstWorkflowTask) return taskPoint(call, run, 'getWorkflowExecutionHistory');
  return taskPoint(call, run, 'getWorkflowExecutionHistoryReverse');
}

/** The first task completed in the order of the pages; when none was, the event after the first scheduled one. */
async function taskPoint(call: Call, run: NamedRun, method: string): Promise<number> {
  let scheduled = 0;
  let nextPageToken: Uint8Array | null | undefined;
  do {
    const { namespace, workflowId, runId } = run;
    const page: History = await call<History>(method, { namespace, execution: { workflowId, runId }, nextPageToken });
    for (const event of page.history?.events ?? []) {
      if (event.eventType === COMPLETED) return int64(event.eventId);
      if (event.eventType === SCHEDULED && (scheduled === 0 || method.endsWith('Reverse'))) {
        scheduled = int64(event.eventId) + 1;
      }
    }
    ({ nextPageToken } = page);
  } while (nextPageToken && nextPageToken.length > 0);
  if (scheduled === 0) throw notFound('unable to find any scheduled or completed task');
  return scheduled;
}

async function buildIdPoint(call: Call, { namespace, workflowId, runId }: NamedRun, buildId: string): Promise<number> {
  const { workflowExecutionInfo } = await call<Description>('describeWorkflowExecution', {
    namespace,
    execution: { workflowId, runId },
  });
  const points = workflowExecutionInfo?.autoResetPoints?.points ?? [];
  const point = points.find((each) => each.buildId === buildId);
  if (point === undefined) throw notFound(`Can't find reset point for ${buildId}`);
  return int64(point.firstWorkflowTaskCompletedId);
}

/** Where a batch resets a run to: as clients find it, from the history or from the reset points that describe shows. */
import { temporal } from '@temporalio/proto';
import { int64, ms } from '../../common/proto-values';
import { failedPrecondition, notFound } from '../errors';
import type { Call, NamedRun } from './operations';

type ResetOptions = temporal.api.common.v1.IResetOptions;
type History = temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryResponse;
type Description = temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse;

const { EVENT_TYPE_WORKFLOW_TASK_COMPLETED: COMPLETED, EVENT_TYPE_WORKFLOW_TASK_SCHEDULED: SCHEDULED } =
  temporal.api.enums.v1.EventType;

export interface ResetPoint {
  /** The run to reset: that of a build id's point may be an earlier one of the chain. */
  runId: string;
  /** The first event that the reset run does not take over. */
  eventId: number;
}

/** NOT_FOUND or FAILED_PRECONDITION when there is no such point. */
export async function resetPoint(call: Call, run: NamedRun, options: ResetOptions): Promise<ResetPoint> {
  if (options.buildId) return buildIdPoint(call, run, options.buildId, options.currentRunOnly === true);
  const named = int64(options.workflowTaskId);
  if (named > 0) return { runId: run.runId, eventId: named };
  const method = options.firstWorkflowTask ? 'getWorkflowExecutionHistory' : 'getWorkflowExecutionHistoryReverse';
  return { runId: run.runId, eventId: await taskPoint(call, run, method) };
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

/** As Temporal's batcher finds it (service/worker/batcher/activities.go, getResetPoint). */
async function buildIdPoint(
  call: Call,
  { namespace, workflowId, runId }: NamedRun,
  buildId: string,
  currentRunOnly: boolean,
): Promise<ResetPoint> {
  const { workflowExecutionInfo } = await call<Description>('describeWorkflowExecution', {
    namespace,
    execution: { workflowId, runId },
  });
  const points = workflowExecutionInfo?.autoResetPoints?.points ?? [];
  const point = points.find((each) => each.buildId === buildId);
  if (point === undefined) throw notFound(`Can't find reset point for ${buildId}`);
  if (point.expireTime && ms(point.expireTime) < Date.now()) {
    throw failedPrecondition(`Reset point for ${buildId} is expired`);
  }
  const current = runId || workflowExecutionInfo?.execution?.runId;
  if (currentRunOnly && point.runId !== current) {
    throw failedPrecondition(`Reset point for ${buildId} points to previous run and CurrentRunOnly is set`);
  }
  return { runId: point.runId!, eventId: int64(point.firstWorkflowTaskCompletedId) };
}

/** Event histories of what a scenario started: every run of its chains, and of its children. */
import type { WorkflowService } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { NAMESPACE } from './engines';
import { plainEvent } from './plain';

type Event = temporal.api.history.v1.IHistoryEvent;
type Response = temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryResponse;

export interface Run {
  workflowId: string;
  runId: string;
}

export async function fetchHistory(service: WorkflowService, { workflowId, runId }: Run): Promise<Event[]> {
  const events: Event[] = [];
  let nextPageToken: Uint8Array | null | undefined;
  do {
    const page: Response = await service.getWorkflowExecutionHistory({
      namespace: NAMESPACE,
      execution: { workflowId, runId },
      nextPageToken,
    });
    events.push(...(page.history?.events ?? []));
    nextPageToken = page.nextPageToken;
  } while (nextPageToken?.length);
  return events;
}

/** Plain histories by `workflowId#n`: n counts the runs of one id by their start. */
export async function collectHistories(
  service: WorkflowService,
  started: Run[],
): Promise<Record<string, ReturnType<typeof plainEvent>[]>> {
  const found = new Map<string, { workflowId: string; events: Event[] }>();
  const open = [...started];
  for (let run = open.shift(); run !== undefined; run = open.shift()) {
    if (found.has(run.runId)) continue;
    const events = await fetchHistory(service, run);
    found.set(run.runId, { workflowId: run.workflowId, events });
    open.push(...events.flatMap((event) => runsNamedBy(event, run!.workflowId)));
  }
  const runs = [...found.values()].sort((a, b) => startOf(a.events) - startOf(b.events));
  const counts = new Map<string, number>();
  const histories: Record<string, ReturnType<typeof plainEvent>[]> = {};
  for (const { workflowId, events } of runs) {
    const n = (counts.get(workflowId) ?? 0) + 1;
    counts.set(workflowId, n);
    histories[`${workflowId}#${n}`] = events.map(plainEvent);
  }
  return histories;
}

function startOf(events: Event[]): number {
  const time = events[0]?.eventTime;
  return Number(time?.seconds ?? 0) * 1000 + (time?.nanos ?? 0) / 1e6;
}

/** Runs that come after this one, and children. */
function runsNamedBy(event: Event, workflowId: string): Run[] {
  const next =
    event.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ||
    event.workflowExecutionCompletedEventAttributes?.newExecutionRunId ||
    event.workflowExecutionFailedEventAttributes?.newExecutionRunId ||
    event.workflowExecutionTimedOutEventAttributes?.newExecutionRunId;
  if (next) return [{ workflowId, runId: next }];
  const child = event.childWorkflowExecutionStartedEventAttributes?.workflowExecution;
  return child?.workflowId && child.runId ? [{ workflowId: child.workflowId, runId: child.runId }] : [];
}

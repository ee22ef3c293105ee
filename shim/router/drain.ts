/** What is still open on an engine of a kind of workflow, and why. */
import type { ConnectionLike } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { int64, optionalMs } from '../common/proto-values';
import { type DrainEstimate, estimateDrain } from './drain-estimate';

export interface DrainQuery {
  namespace: string;
  workflowTypes: string[];
  taskQueues: string[];
}

export interface OpenRun {
  workflowId: string;
  runId: string;
  ageMs: number;
  /** What it waits for, in words. */
  waitsFor: string;
  /** When it goes on by itself, epoch ms; undefined = when somebody calls. */
  nextWakeMs?: number;
}

export interface DrainReport {
  /** As the engine counts. */
  open: number;
  /** The oldest ones. */
  oldest: OpenRun[];
  estimate: DrainEstimate;
}

/** Ages are taken of that many open runs, durations of that many closed ones. */
const SAMPLE = 1000;
const PAGE = 500;
const HISTORY_PAGES = 20;

/** @throws what the engine answers */
export async function drainReport(
  connection: ConnectionLike,
  query: DrainQuery,
  shown: number,
  nowMs: number,
): Promise<DrainReport> {
  const { namespace } = query;
  const of = kindFilter(query);
  const { count } = await connection.workflowService.countWorkflowExecutions({
    namespace,
    query: `CloseTime IS NULL AND ${of}`,
  });
  const open = await list(connection, namespace, `CloseTime IS NULL AND ${of}`);
  const closed = await list(connection, namespace, `CloseTime IS NOT NULL AND ${of}`);
  const ageOf = ({ startTime }: Run): number => Math.max(0, nowMs - (optionalMs(startTime) ?? nowMs));
  const oldest = [...open].sort((a, b) => ageOf(b) - ageOf(a)).slice(0, shown);
  return {
    // Visibility may be behind in either.
    open: Math.max(int64(count), open.length),
    oldest: await Promise.all(
      oldest.map(async (run) => ({
        workflowId: run.execution?.workflowId ?? '',
        runId: run.execution?.runId ?? '',
        ageMs: ageOf(run),
        ...(await waits(connection, namespace, run, nowMs)),
      })),
    ),
    estimate: estimateDrain(
      open.map(ageOf),
      closed.map(({ startTime, closeTime }) => (optionalMs(closeTime) ?? 0) - (optionalMs(startTime) ?? 0)),
    ),
  };
}

type Run = temporal.api.workflow.v1.IWorkflowExecutionInfo;

const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;
const oneOf = (name: string, values: string[]): string[] =>
  values.length === 0 ? [] : [`(${values.map((value) => `${name} = ${quoted(value)}`).join(' OR ')})`];

const kindFilter = ({ workflowTypes, taskQueues }: DrainQuery): string =>
  [...oneOf('WorkflowType', workflowTypes), ...oneOf('TaskQueue', taskQueues)].join(' AND ');

async function list(connection: ConnectionLike, namespace: string, query: string): Promise<Run[]> {
  const runs: Run[] = [];
  let nextPageToken: Uint8Array | undefined;
  do {
    const request = { namespace, query, pageSize: PAGE, ...(nextPageToken === undefined ? {} : { nextPageToken }) };
    const answer = await connection.workflowService.listWorkflowExecutions(request);
    runs.push(...answer.executions);
    nextPageToken = answer.nextPageToken.length > 0 ? answer.nextPageToken : undefined;
  } while (nextPageToken !== undefined && runs.length < SAMPLE);
  return runs;
}

async function waits(
  connection: ConnectionLike,
  namespace: string,
  { execution, executionTime }: Run,
  nowMs: number,
): Promise<Pick<OpenRun, 'waitsFor' | 'nextWakeMs'>> {
  const { pendingActivities, pendingChildren, pendingWorkflowTask } =
    await connection.workflowService.describeWorkflowExecution({ namespace, execution });
  const timers = await openTimers(connection, namespace, execution);
  const beginsMs = optionalMs(executionTime) ?? 0;
  const words = [
    ...(beginsMs > nowMs ? ['its first workflow task (start delay or cron)'] : []),
    ...(pendingWorkflowTask ? ['a worker to take its workflow task'] : []),
    ...pendingActivities.map(({ activityType, attempt }) => `activity ${activityType?.name} (attempt ${attempt ?? 1})`),
    ...pendingChildren.map(({ workflowId }) => `child ${workflowId}`),
    ...(timers.length === 0 ? [] : [timers.length === 1 ? 'a timer' : `${timers.length} timers`]),
  ];
  const wakes = [
    beginsMs > nowMs ? beginsMs : 0,
    ...timers,
    ...pendingActivities.map(({ nextAttemptScheduleTime }) => optionalMs(nextAttemptScheduleTime) ?? 0),
  ].filter((ms) => ms > 0);
  return {
    waitsFor: words.length === 0 ? 'a signal or an update' : words.join(', '),
    ...(wakes.length === 0 ? {} : { nextWakeMs: Math.min(...wakes) }),
  };
}

/** When its open timers fire, epoch ms. Of very long histories only the beginning is read. */
async function openTimers(
  connection: ConnectionLike,
  namespace: string,
  execution: Run['execution'],
): Promise<number[]> {
  const timers = new Map<number, number>();
  let nextPageToken: Uint8Array | undefined;
  for (let page = 0; page < HISTORY_PAGES; page++) {
    const request = { namespace, execution, ...(nextPageToken === undefined ? {} : { nextPageToken }) };
    const answer = await connection.workflowService.getWorkflowExecutionHistory(request);
    for (const event of answer.history?.events ?? []) {
      const started = event.timerStartedEventAttributes;
      if (started) {
        timers.set(
          int64(event.eventId),
          (optionalMs(event.eventTime) ?? 0) + (optionalMs(started.startToFireTimeout) ?? 0),
        );
      }
      const ended = event.timerFiredEventAttributes ?? event.timerCanceledEventAttributes;
      if (ended) timers.delete(int64(ended.startedEventId));
    }
    if (answer.nextPageToken.length === 0) break;
    ({ nextPageToken } = answer);
  }
  return [...timers.values()];
}

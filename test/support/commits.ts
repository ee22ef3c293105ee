/** Run commits for tests of the store: real events, a state of the usual shape. */
import { randomUUID } from 'node:crypto';
import { temporal } from '@temporalio/proto';
import { fromMs } from '../../shim/common/proto-values';
import { type HistoryEvent, type RunState, Status } from '../../shim/service/engine/types';
import type { ExecutionRow, RunCommit } from '../../shim/store/types';

const { EventType } = temporal.api.enums.v1;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export const payload = (value: unknown) => ({
  metadata: { encoding: bytes('json/plain') },
  data: bytes(JSON.stringify(value)),
});

export function runState(workflowId: string, runId: string, nextEventId: number): RunState {
  const now = Date.now();
  return {
    namespace: 'default',
    workflowId,
    runId,
    firstRunId: runId,
    baseRunId: '',
    originalRunId: runId,
    workflowType: 'sample',
    taskQueue: 'queue',
    attempt: 1,
    status: Status.Running,
    startRequestId: `start-${runId}`,
    startedAtMs: now,
    executionAtMs: now,
    closedAtMs: 0,
    executionTimeoutMs: 0,
    runTimeoutMs: 0,
    taskTimeoutMs: 10_000,
    executionExpiresAtMs: 0,
    runExpiresAtMs: 0,
    retryPolicy: null,
    cronSchedule: '',
    parent: null,
    root: { workflowId, runId },
    memo: {},
    searchAttributes: {},
    priority: null,
    nextEventId,
    historySizeBytes: 300 * nextEventId,
    stateTransitions: 1,
    firstTaskAtMs: 0,
    workflowTask: null,
    lastCompletedTaskStartedEventId: 0,
    failedTaskAttempts: 0,
    lastTaskFailure: '',
    sticky: null,
    activities: {},
    timers: {},
    children: {},
    externals: {},
    buffered: [],
    signalCount: 0,
    closeAttempted: false,
    cancelRequested: false,
    cancelRequestId: '',
    updates: {},
    updateSequence: 0,
    obligations: [],
    closeEventId: 0,
    newRunId: '',
    deployment: null,
    versioning: null,
  };
}

export function event(eventId: number, attributes: Omit<HistoryEvent, 'eventId' | 'eventTime'>): HistoryEvent {
  return { eventId, eventTime: fromMs(Date.now()), ...attributes } as object as HistoryEvent;
}

export function signaled(eventId: number, name = 'go'): HistoryEvent {
  return event(eventId, {
    eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
    workflowExecutionSignaledEventAttributes: { signalName: name, input: { payloads: [payload({ id: eventId })] } },
  });
}

export function executionRow(workflowId: string, runId: string, change: Partial<ExecutionRow> = {}): ExecutionRow {
  const now = Date.now();
  return {
    namespaceId: 1,
    workflowId,
    runId,
    firstRunId: runId,
    baseRunId: '',
    workflowType: 'sample',
    taskQueue: 'queue',
    status: Status.Running,
    startRequestId: `start-${runId}`,
    startMs: now,
    executionMs: now,
    closeMs: 0,
    historyLength: 1,
    historySizeBytes: 300,
    stateTransitions: 1,
    parent: null,
    root: { workflowId, runId },
    memo: {},
    searchAttributes: {},
    buildId: '',
    ...change,
  };
}

/** The first commit of a run: WorkflowExecutionStarted. */
export function startCommit(workflowId: string, change: Partial<RunCommit> = {}): RunCommit {
  const runId = change.runId ?? randomUUID();
  const started = event(1, {
    eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
    workflowExecutionStartedEventAttributes: {
      workflowType: { name: 'sample' },
      taskQueue: { name: 'queue' },
      input: { payloads: [payload({ hello: 'world' })] },
      workflowId,
      originalExecutionRunId: runId,
      firstExecutionRunId: runId,
      attempt: 1,
    },
  });
  return {
    namespaceId: 1,
    workflowId,
    runId,
    expectedVersion: 0,
    create: { reuse: 'allowDuplicate', startRequestId: `start-${runId}` },
    events: [started],
    state: runState(workflowId, runId, 2),
    owner: null,
    dueAtMs: 0,
    execution: executionRow(workflowId, runId, { namespaceId: change.namespaceId ?? 1 }),
    newTasks: [],
    doneTasks: [],
    signalRequestIds: [],
    closedActivities: [],
    inbox: [],
    ...change,
  };
}

/** A later commit of a run: one signal. */
export function nextCommit(start: RunCommit, expectedVersion: number, change: Partial<RunCommit> = {}): RunCommit {
  const eventId = expectedVersion + 1;
  return {
    ...start,
    expectedVersion,
    create: null,
    events: [signaled(eventId)],
    state: runState(start.workflowId, start.runId, eventId + 1),
    execution: null,
    ...change,
  };
}

/** Ends a run: its state goes, its execution row is closed. */
export function closeCommit(start: RunCommit, expectedVersion: number, change: Partial<ExecutionRow> = {}): RunCommit {
  return nextCommit(start, expectedVersion, {
    state: null,
    execution: executionRow(start.workflowId, start.runId, {
      status: Status.Completed,
      closeMs: Date.now(),
      ...change,
    }),
  });
}

/** A batch as the store writes it. */
import type { ExecutionRow, RunCommit } from '../../store/types';
import { firstBuildId } from '../engine/build-ids';
import { Status, type RunState } from '../engine/types';
import type { Batch } from './batch';

/** The row of a run in visibility. */
export function executionRow(namespaceId: number, state: RunState): ExecutionRow {
  return {
    namespaceId,
    workflowId: state.workflowId,
    runId: state.runId,
    firstRunId: state.firstRunId,
    baseRunId: state.baseRunId,
    workflowType: state.workflowType,
    taskQueue: state.taskQueue,
    status: state.status,
    startRequestId: state.startRequestId,
    startMs: state.startedAtMs,
    executionMs: state.executionAtMs,
    closeMs: state.status === Status.Running ? 0 : state.closedAtMs,
    historyLength: state.nextEventId - 1,
    historySizeBytes: state.historySizeBytes,
    stateTransitions: state.stateTransitions,
    parent: state.parent === null ? null : { workflowId: state.parent.workflowId, runId: state.parent.runId },
    root: state.root,
    memo: state.memo,
    searchAttributes: state.searchAttributes,
    buildId: firstBuildId(state),
  };
}

/** Closed and owing nothing: only history and visibility remain. */
export function isGone(state: RunState): boolean {
  return state.status !== Status.Running && state.obligations.length === 0;
}

export function runCommit(batch: Batch, processId: string, dueAtMs: number): RunCommit {
  const { run } = batch;
  const { state } = run;
  return {
    namespaceId: run.namespaceId,
    workflowId: state.workflowId,
    runId: state.runId,
    expectedVersion: run.version,
    create: batch.create,
    events: batch.events,
    state: isGone(state) ? null : state,
    owner: run.mine ? processId : run.owner,
    dueAtMs,
    execution: batch.visibility ? executionRow(run.namespaceId, state) : null,
    newTasks: batch.newTasks,
    doneTasks: batch.doneTasks,
    signalRequestIds: batch.signalRequestIds,
    closedActivities: batch.closedActivities,
    inbox: batch.inbox,
  };
}

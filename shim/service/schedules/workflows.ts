/** The workflows of schedules: starting them, ending them for an overlap policy, and how they ended. */
import { schedulerIdentity, startRequest, startRequestId } from '../engine/schedules/start-request';
import type { ChainEnd, PendingStart, RunningWorkflow, ScheduleEvent, ScheduleState } from '../engine/schedules/types';
import { type HistoryEvent, Status } from '../engine/types';
import { Code, ServiceError } from '../errors';
import { idPolicies } from '../id-policies';
import { isNotFound } from '../transfers/transfer-parts';
import { isWorkflowCompleted } from '../target';
import type { ScheduleParts } from './parts';

/** Worth trying again: nothing is wrong with the request. */
const PASSING: ReadonlySet<Code> = new Set([
  Code.UNAVAILABLE,
  Code.RESOURCE_EXHAUSTED,
  Code.DEADLINE_EXCEEDED,
  Code.CANCELLED,
  Code.ABORTED,
]);

export class ScheduledWorkflows {
  constructor(private readonly parts: ScheduleParts) {}

  /** What to tell the schedule; null when it is to be tried again. */
  async start(namespaceId: number, state: ScheduleState, start: PendingStart): Promise<ScheduleEvent | null> {
    const { store, starter } = this.parts;
    const { slot, workflowId } = start;
    const requestId = startRequestId(state, start);
    const earlier = async (): Promise<ScheduleEvent | null> => {
      const runId = await store.runStartedBy(namespaceId, workflowId, requestId);
      const row = runId === null ? null : await store.loadExecution(namespaceId, runId);
      return row === null ? null : { type: 'started', slot, firstRunId: row.firstRunId, startedMs: row.startMs };
    };
    if (start.tries > 1) {
      // The chain may have gone on, or ended, since the first try.
      const started = await earlier();
      if (started !== null) return started;
    }
    try {
      const namespace = await this.parts.namespace(state.namespace);
      const request = startRequest(state, start, namespace.searchAttributeTypes);
      const policies = idPolicies(request.workflowIdReusePolicy, null, 'fail');
      const { firstRunId } = await starter.start(namespace, request, policies);
      return { type: 'started', slot, firstRunId, startedMs: store.nowMs() };
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      if (PASSING.has(error.code)) return null;
      return (await earlier()) ?? { type: 'startFailed', slot, message: error.details };
    }
  }

  /** Asks a running chain to end, or ends it; false when it does not run any more. */
  async end(
    namespaceId: number,
    state: ScheduleState,
    { workflowId, firstRunId, ending }: RunningWorkflow,
  ): Promise<boolean> {
    const { engine, current, newId } = this.parts;
    const identity = schedulerIdentity(state);
    try {
      await current.mutate({ namespaceId, workflowId, runId: '' }, firstRunId, (t) => {
        if (ending === 'terminate') {
          engine.terminate(t, { reason: 'terminated by schedule overlap policy', details: null, identity });
        } else {
          engine.requestCancel(t, { reason: 'cancelled by schedule overlap policy', requestId: newId(), identity });
        }
      });
      return true;
    } catch (error) {
      if (isWorkflowCompleted(error) || isNotFound(error)) return false;
      throw error;
    }
  }

  /** Does this process know the run to be open? With others about, its copy may be an old one. */
  runsHere(runId: string): boolean {
    const { runs, store } = this.parts;
    return store.liveProcesses().length <= 1 && runs.loaded(runId)?.state.status === Status.Running;
  }

  /** How a chain ended; null while it runs. */
  async endOf(
    namespaceId: number,
    { workflowId, firstRunId }: { workflowId: string; firstRunId: string },
  ): Promise<ChainEnd | null> {
    const { store } = this.parts;
    const gone: ChainEnd = { workflowId, firstRunId, status: 0, result: null, failure: null };
    let newest = await store.currentRun(namespaceId, workflowId);
    // The id may be another chain's by now.
    if (newest !== null && newest.firstRunId !== firstRunId) {
      newest = (await store.runsOfChain(namespaceId, workflowId, firstRunId))[0] ?? null;
    }
    if (newest === null) return gone;
    if (newest.status === Status.Running) return null;
    const [close] = await store.readLastEvents(newest.runId, 1);
    return { ...gone, status: newest.status, ...outcome(close) };
  }
}

function outcome(close: HistoryEvent | undefined): Pick<ChainEnd, 'result' | 'failure'> {
  return {
    result: close?.workflowExecutionCompletedEventAttributes?.result ?? null,
    failure: close?.workflowExecutionFailedEventAttributes?.failure ?? null,
  };
}

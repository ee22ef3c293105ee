/** ResetWorkflowExecution: a new run from a prefix of a run's history; the current run, if it is open, ends in the same commit. */
import { temporal } from '@temporalio/proto';
import { int64 } from '../common/proto-values';
import { MAX_EVENT_ID } from './close-event';
import type { ReapplyExclusions } from './engine/api';
import { type HistoryEvent, Status, type Transition } from './engine/types';
import { Code, ServiceError, invalidArgument } from './errors';
import { type CurrentRuns, type Target, checkLength, isWorkflowCompleted, runNotFound, targetOf } from './target';
import type { LoadedRun, Rpc, ServiceParts } from './types';

type Request = temporal.api.workflowservice.v1.IResetWorkflowExecutionRequest;
type Response = temporal.api.workflowservice.v1.IResetWorkflowExecutionResponse;

const { ResetReapplyType, ResetReapplyExcludeType } = temporal.api.enums.v1;

/** A current run that moves on under the reset is looked at again; more often than this it is a fault, not a race. */
const MAX_RACES = 20;

export interface ResetRequest {
  namespace: string;
  /** Its `runId` is the base run; '' = the current one. */
  target: Target;
  /** The first event of the base run that is not taken over. */
  finishEventId: number;
  requestId: string;
  reason: string;
  exclude: ReapplyExclusions;
}

/** The exclusions of the present and of the deprecated field. */
export function exclusionsOf(
  types: Request['resetReapplyExcludeTypes'],
  included: Request['resetReapplyType'],
): ReapplyExclusions {
  const only = included ?? ResetReapplyType.RESET_REAPPLY_TYPE_UNSPECIFIED;
  const none = only === ResetReapplyType.RESET_REAPPLY_TYPE_NONE;
  return {
    signals: none || (types ?? []).includes(ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL),
    updates:
      none ||
      only === ResetReapplyType.RESET_REAPPLY_TYPE_SIGNAL ||
      (types ?? []).includes(ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE),
  };
}

export class Resetter {
  constructor(
    private readonly parts: ServiceParts,
    private readonly current: CurrentRuns,
  ) {}

  /** The new run's id; the same for a request id that has made a run before. */
  async reset(request: ResetRequest): Promise<string> {
    const { store, runs } = this.parts;
    const { target, requestId } = request;
    const { namespaceId, workflowId } = target;
    for (let race = 0; race < MAX_RACES; race++) {
      const known = await store.runStartedBy(namespaceId, workflowId, requestId);
      if (known !== null) return known;
      const current = await this.current.current(target);
      const baseRunId = target.runId || current.runId;
      const base = await store.loadExecution(namespaceId, baseRunId);
      if (base === null || base.workflowId !== workflowId) throw runNotFound(workflowId, baseRunId);
      // Those of the current run end where its change begins; closed ones are whole.
      const chain = await this.readChain(baseRunId);
      try {
        const made =
          current.status === Status.Running
            ? await this.replaceCurrent(request, baseRunId, current.runId, chain)
            : await this.begin(request, baseRunId, chain);
        if (made === null) continue;
        this.current.remember(namespaceId, workflowId, made);
        return made;
      } catch (error) {
        // It closed meanwhile, perhaps by a reset like this one.
        if (!isWorkflowCompleted(error)) throw error;
        await runs.changed(current.runId, 100);
      }
    }
    throw new ServiceError(Code.UNAVAILABLE, `Workflow ${workflowId} could not be reset: it moves on as fast.`);
  }

  /** The events of a run and of those that continued it as new, by run. Runs that are deleted end it. */
  private async readChain(baseRunId: string): Promise<Chain> {
    const chain: Chain = new Map();
    for (let runId = baseRunId; runId !== '' && !chain.has(runId);) {
      const events = await this.readAll(runId);
      if (events.length === 0) break;
      chain.set(runId, events);
      runId = events[events.length - 1]!.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? '';
    }
    return chain;
  }

  private async readAll(runId: string): Promise<HistoryEvent[]> {
    const events: HistoryEvent[] = [];
    for (;;) {
      const page = await this.parts.runs.history(runId, events.length + 1, MAX_EVENT_ID, 4 * 1024 * 1024);
      if (page.length === 0) return events;
      events.push(...page);
    }
  }

  /** Null when the current run has events that `chain` lacks. */
  private async replaceCurrent(
    request: ResetRequest,
    baseRunId: string,
    currentRunId: string,
    chain: Chain,
  ): Promise<string | null> {
    const { engine, runs } = this.parts;
    return runs.mutate(currentRunId, (t: Transition, run: LoadedRun) => {
      const inChain = chain.get(currentRunId);
      const whole = new Map(chain);
      if (inChain !== undefined) {
        const newest = run.cachedEvents(inChain.length + 1, t.state.nextEventId - 1);
        if (newest === null) {
          run.unchanged();
          return null;
        }
        whole.set(currentRunId, [...inChain, ...newest]);
      }
      const successor = this.prepare(request, baseRunId, whole, run.namespaceId);
      engine.terminateForReset(t, request.reason);
      // With what waited for the end of a workflow task, and is written only now.
      if (inChain !== undefined) whole.set(currentRunId, [...whole.get(currentRunId)!, ...t.events]);
      this.complete(request, successor, baseRunId, whole);
      t.effects.push({ type: 'newRun', transition: successor });
      return successor.state.runId;
    });
  }

  /** Null when another run of the id was begun meanwhile. */
  private async begin(request: ResetRequest, baseRunId: string, chain: Chain): Promise<string | null> {
    const { namespaceId } = request.target;
    const successor = this.prepare(request, baseRunId, chain, namespaceId);
    this.complete(request, successor, baseRunId, chain);
    const outcome = await this.parts.runs.create(namespaceId, successor, 'allowDuplicate');
    return outcome === 'created' ? successor.state.runId : null;
  }

  private prepare(request: ResetRequest, baseRunId: string, chain: Chain, namespaceId: number): Transition {
    const { finishEventId } = request;
    const base = chain.get(baseRunId) ?? [];
    if (finishEventId <= 1 || finishEventId > base.length) {
      throw invalidArgument('Workflow task finish ID must be > 1 && <= workflow last event ID.');
    }
    const { namespace, requestId, reason } = request;
    const prefix = base.slice(0, finishEventId - 1);
    const runId = this.parts.newId();
    return this.parts.engine.beginReset(
      { namespace, runId, baseRunId, requestId, reason, prefix },
      this.parts.runs.engineContext(namespaceId),
    );
  }

  private complete(request: ResetRequest, successor: Transition, baseRunId: string, chain: Chain): void {
    const later: HistoryEvent[] = [];
    for (const [runId, events] of chain) {
      later.push(...(runId === baseRunId ? events.slice(request.finishEventId - 1) : events));
    }
    this.parts.engine.reapply(successor, later, request.exclude);
  }
}

/** Events by run, in the order of the chain. */
type Chain = Map<string, HistoryEvent[]>;

export function resetWorkflowExecution(parts: ServiceParts, resetter: Resetter): Rpc<Request, Response> {
  return async (request) => {
    if (!request.requestId) throw invalidArgument('RequestId is not set on request.');
    checkLength(request.requestId, 'RequestId');
    if (request.postResetOperations?.length) {
      throw invalidArgument('postResetOperations is not supported by Branchline.');
    }
    const target = await targetOf(parts, request.namespace, request.workflowExecution);
    const runId = await resetter.reset({
      namespace: request.namespace ?? '',
      target,
      finishEventId: int64(request.workflowTaskFinishEventId),
      requestId: request.requestId,
      reason: request.reason ?? '',
      exclude: exclusionsOf(request.resetReapplyExcludeTypes, request.resetReapplyType),
    });
    return { runId };
  };
}

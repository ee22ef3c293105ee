/** Starting workflows: StartWorkflowExecution, and SignalWithStartWorkflowExecution. */
import { temporal } from '@temporalio/proto';
import type { Request } from './engine/api';
import { Status, type StartInput, type Transition } from './engine/types';
import { Code, ServiceError, invalidArgument } from './errors';
import { type CurrentRun, type IdPolicies, alreadyRunning, checkReuse, idPolicies } from './id-policies';
import { startedLink, requestLink } from './links';
import { type WorkflowTaskResponse, startWorkflowTask } from './matching/workflow-task';
import { type CurrentRuns, checkLength, workflowCompleted } from './target';
import type { NamespaceInfo, Rpc, ServiceParts } from './types';

type StartRequest = temporal.api.workflowservice.v1.IStartWorkflowExecutionRequest;
type StartResponse = temporal.api.workflowservice.v1.IStartWorkflowExecutionResponse;
type SignalWithStartRequest = temporal.api.workflowservice.v1.ISignalWithStartWorkflowExecutionRequest;
type SignalWithStartResponse = temporal.api.workflowservice.v1.ISignalWithStartWorkflowExecutionResponse;

/** How a start came out. `deduplicated`: this very request had started the run before. */
export interface StartOutcome {
  kind: 'created' | 'deduplicated' | 'existing';
  runId: string;
  firstRunId: string;
  status: Status;
}

/** A race with another starter of the same id is run again; more often than this it is a fault, not a race. */
const MAX_RACES = 20;

export class Starter {
  constructor(
    private readonly parts: ServiceParts,
    private readonly current: CurrentRuns,
  ) {}

  /**
   * Starts a run, or finds the one that the policies say to use.
   * `change` completes the new run in the same commit (its signal is in the input already; updates are admitted here).
   */
  async start(
    namespace: NamespaceInfo,
    request: StartRequest,
    policies: IdPolicies,
    extend?: { input?: (input: StartInput) => void; transition?: (t: Transition) => void },
  ): Promise<StartOutcome> {
    const { runs, engine, store } = this.parts;
    const workflowId = request.workflowId ?? '';
    const make = (): Transition => {
      const context = runs.engineContext(namespace.id);
      const input = engine.startInputFromRequest(request as Request<'StartWorkflowExecutionRequest'>, context);
      extend?.input?.(input);
      const t = engine.start(input, context);
      extend?.transition?.(t);
      return t;
    };
    const created = (t: Transition): StartOutcome => {
      const { runId } = t.state;
      this.current.remember(namespace.id, workflowId, runId);
      return { kind: 'created', runId, firstRunId: runId, status: Status.Running };
    };

    for (let race = 0; race < MAX_RACES; race++) {
      const fresh = make();
      const mayGoAhead = race === 0 && !this.current.remembers(namespace.id, workflowId);
      const outcome = await runs.create(namespace.id, fresh, policies.reuse, { mayGoAhead });
      if (outcome === 'created') return created(fresh);

      const current = await store.currentRun(namespace.id, workflowId);
      if (current === null) continue;
      if (current.startRequestId === request.requestId) {
        return { kind: 'deduplicated', runId: current.runId, firstRunId: current.firstRunId, status: current.status };
      }
      if (current.status !== Status.Running) {
        checkReuse(policies.reuse, workflowId, current);
        continue;
      }
      if (policies.conflict === 'fail') throw alreadyRunning(workflowId, current);
      if (policies.conflict === 'useExisting') {
        this.current.remember(namespace.id, workflowId, current.runId);
        return { kind: 'existing', runId: current.runId, firstRunId: current.firstRunId, status: current.status };
      }
      const successor = await this.replace(namespace, current, make());
      if (successor !== null) return created(successor);
    }
    throw new ServiceError(
      Code.UNAVAILABLE,
      `Workflow ${workflowId} could not be started: too many concurrent starts.`,
    );
  }

  /** Terminates the running run and starts the new one in one commit; null when the old one closed or moved meanwhile. */
  private async replace(
    namespace: NamespaceInfo,
    current: CurrentRun,
    successor: Transition,
  ): Promise<Transition | null> {
    const { runs, engine } = this.parts;
    const details = Buffer.from(JSON.stringify(`terminated by new runID: ${successor.state.runId}`));
    try {
      const op = (t: Transition): void => {
        if (t.state.status !== Status.Running) throw workflowCompleted();
        engine.terminate(t, {
          reason: 'TerminateIfRunning WorkflowIdReusePolicy',
          details: { payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: details }] },
          identity: 'history-service',
        });
      };
      const replacing = { runId: current.runId, op };
      const outcome = await runs.create(namespace.id, successor, 'allowDuplicate', { replacing });
      return outcome === 'created' ? successor : null;
    } catch (error) {
      if (error instanceof ServiceError && error.code === Code.NOT_FOUND) return null;
      throw error;
    }
  }
}

export function startWorkflowExecution(parts: ServiceParts, starter: Starter): Rpc<StartRequest, StartResponse> {
  return async (request, ctx) => {
    const prepared = prepareStart(parts, request);
    const namespace = await parts.namespace(request.namespace);
    const policies = idPolicies(request.workflowIdReusePolicy, request.workflowIdConflictPolicy, 'fail');
    if (request.requestEagerExecution === true && ctx.onWire === true) {
      return startEagerly(parts, starter, namespace, prepared, policies);
    }
    const outcome = await starter.start(namespace, prepared, policies);
    const response = startResponse(prepared, outcome);
    // The first task of an eager start is not in the answer: a worker of this process was handed it by its poll, which is as soon.
    const eager = request.requestEagerExecution === true && outcome.kind !== 'existing';
    if (eager && parts.matching.polledHere(namespace.id, request.taskQueue?.name ?? ''))
      response.eagerWorkflowTask = {};
    return response;
  };
}

/** The first task, unless it has to wait, is started for the caller's worker in the same commit and travels in the answer. */
async function startEagerly(
  parts: ServiceParts,
  starter: Starter,
  namespace: NamespaceInfo,
  request: StartRequest,
  policies: IdPolicies,
): Promise<StartResponse> {
  let eagerWorkflowTask: WorkflowTaskResponse | undefined;
  const transition = (t: Transition): void => {
    const task = t.state.workflowTask;
    if (task === null) return;
    const { scheduledEventId, attempt } = task;
    const started = startWorkflowTask(parts.engine, t, namespace.id, {
      scheduledEventId,
      attempt,
      requestId: parts.newId(),
      identity: request.identity ?? '',
      sticky: false,
    });
    eagerWorkflowTask = { ...started.response, history: { events: [...t.events, ...started.virtual] } };
  };
  const outcome = await starter.start(namespace, request, policies, { transition });
  const response = startResponse(request, outcome);
  return outcome.kind === 'created' && eagerWorkflowTask !== undefined ? { ...response, eagerWorkflowTask } : response;
}

/** Fills the request id and checks what is the frontend's to check; the rest is checked by the engine. */
export function prepareStart(parts: ServiceParts, request: StartRequest): StartRequest {
  if (!request.workflowId) throw invalidArgument('WorkflowId is not set on request.');
  checkLength(request.requestId, 'RequestId');
  const { attachRequestId, attachCompletionCallbacks, attachLinks } = request.onConflictOptions ?? {};
  if (attachRequestId || attachCompletionCallbacks || attachLinks) {
    throw invalidArgument('onConflictOptions is not supported by Branchline.');
  }
  return request.requestId ? request : { ...request, requestId: parts.newId() };
}

export function startResponse(request: StartRequest, outcome: StartOutcome): StartResponse {
  const { runId } = outcome;
  return {
    runId,
    firstExecutionRunId: outcome.firstRunId,
    started: outcome.kind !== 'existing',
    status: outcome.status as number,
    link: startedLink(request.namespace ?? '', request.workflowId ?? '', runId),
  };
}

export function signalWithStartWorkflowExecution(
  parts: ServiceParts,
  starter: Starter,
  current: CurrentRuns,
): Rpc<SignalWithStartRequest, SignalWithStartResponse> {
  return async (request) => {
    if (!request.workflowId) throw invalidArgument('WorkflowId is not set on request.');
    if (!request.signalName) throw invalidArgument('SignalName is not set on request.');
    checkLength(request.signalName, 'SignalName');
    const { signalName, signalInput, control: _control, ...rest } = { ...request, signalName: request.signalName };
    const start = prepareStart(parts, rest as StartRequest);
    const namespace = await parts.namespace(request.namespace);
    const policies = idPolicies(request.workflowIdReusePolicy, request.workflowIdConflictPolicy, 'useExisting');
    if (policies.conflict === 'fail') {
      throw invalidArgument(
        'Invalid WorkflowIDConflictPolicy: WORKFLOW_ID_CONFLICT_POLICY_FAIL is not supported for this operation.',
      );
    }
    const requestId = start.requestId ?? '';
    const signal = {
      signalName,
      input: signalInput ?? null,
      identity: request.identity ?? '',
      header: request.header ?? null,
    };
    const withSignal = (input: StartInput): void => {
      input.signal = signal;
    };

    for (let race = 0; race < MAX_RACES; race++) {
      const outcome = await starter.start(namespace, start, policies, { input: withSignal });
      const answer = (started: boolean): SignalWithStartResponse => ({
        runId: outcome.runId,
        firstExecutionRunId: outcome.firstRunId,
        started,
        signalLink: requestLink(request.namespace ?? '', request.workflowId ?? '', outcome.runId, requestId, SIGNALED),
      });
      if (outcome.kind !== 'existing') return answer(true);
      try {
        const target = { namespaceId: namespace.id, workflowId: start.workflowId ?? '', runId: outcome.runId };
        await current.mutate(
          target,
          '',
          (t) => {
            parts.engine.signal(t, { ...signal, signalName, requestId, links: request.links ?? [] });
          },
          { signalRequestId: requestId },
        );
        return answer(false);
      } catch (error) {
        // It closed in between: start anew.
        if (!(error instanceof ServiceError && error.code === Code.NOT_FOUND)) throw error;
      }
    }
    throw new ServiceError(
      Code.UNAVAILABLE,
      `Workflow ${start.workflowId ?? ''} could not be signaled: it closes as fast as it is started.`,
    );
  };
}

const SIGNALED = temporal.api.enums.v1.EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED;

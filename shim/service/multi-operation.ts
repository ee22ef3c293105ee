/** ExecuteMultiOperation: exactly [Start, Update], in one commit when the workflow is new. */
import type { temporal } from '@temporalio/proto';
import { ms } from '../common/proto-values';
import { Status } from './engine/types';
import { multiOperationAborted, multiOperationError, toServiceError } from './error-details';
import { Code, ServiceError, invalidArgument } from './errors';
import { idPolicies } from './id-policies';
import { startedLink } from './links';
import { type Starter, prepareStart, startResponse } from './start';
import type { Target } from './target';
import type { CallContext, NamespaceInfo, Rpc, ServiceParts } from './types';
import { Stage, type UpdateProgress, abortedByClosing, updateProgress } from './update-outcome';
import { type PreparedUpdate, type Updater, prepareUpdate, updateResponse } from './updates';

type Request = temporal.api.workflowservice.v1.IExecuteMultiOperationRequest;
type Response = temporal.api.workflowservice.v1.IExecuteMultiOperationResponse;
type StartRequest = temporal.api.workflowservice.v1.IStartWorkflowExecutionRequest;
type StartResponse = temporal.api.workflowservice.v1.IStartWorkflowExecutionResponse;
type UpdateRequest = temporal.api.workflowservice.v1.IUpdateWorkflowExecutionRequest;

const COMPLETED = Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED;
const MAX_RACES = 20;

export function executeMultiOperation(parts: ServiceParts, starter: Starter, updater: Updater): Rpc<Request, Response> {
  return async (request, ctx) => {
    const namespace = await parts.namespace(request.namespace);
    const [first, second] = request.operations ?? [];
    if (request.operations?.length !== 2 || !first?.startWorkflow || !second?.updateWorkflow) {
      throw invalidArgument('Operations have to be exactly [Start, Update].');
    }
    const { start, update } = prepare(parts, namespace, first.startWorkflow, second.updateWorkflow);
    return new UpdateWithStart(parts, starter, updater, namespace, start, update, ctx).run();
  };
}

function prepare(
  parts: ServiceParts,
  namespace: NamespaceInfo,
  startRequest: StartRequest,
  updateRequest: UpdateRequest,
): { start: StartRequest; update: PreparedUpdate } {
  const attempt = <T>(check: () => T): T | ServiceError => {
    try {
      return check();
    } catch (error) {
      return toServiceError(error);
    }
  };
  const start = attempt(() => checkStart(parts, namespace, startRequest));
  const update = attempt(() => checkUpdate(parts, namespace, updateRequest));
  if (start instanceof ServiceError || update instanceof ServiceError) {
    throw multiOperationError(
      [start, update].map((one) => (one instanceof ServiceError ? one : multiOperationAborted())),
    );
  }
  if (updateRequest.workflowExecution?.workflowId !== start.workflowId) {
    const inconsistent = invalidArgument('WorkflowId is not consistent with previous operation(s).');
    throw multiOperationError([multiOperationAborted(), inconsistent]);
  }
  return { start, update };
}

function checkNamespace(namespace: NamespaceInfo, given: string | null | undefined): void {
  if (given && given !== namespace.name) {
    throw invalidArgument("Operation namespace did not match request's namespace.");
  }
}

function checkStart(parts: ServiceParts, namespace: NamespaceInfo, request: StartRequest): StartRequest {
  checkNamespace(namespace, request.namespace);
  if (request.cronSchedule) throw invalidArgument('CronSchedule is not allowed.');
  if (request.requestEagerExecution) throw invalidArgument('RequestEagerExecution is not supported.');
  if (ms(request.workflowStartDelay) > 0) throw invalidArgument('WorkflowStartDelay is not supported.');
  idPolicies(request.workflowIdReusePolicy, request.workflowIdConflictPolicy, 'fail');
  return prepareStart(parts, { ...request, namespace: namespace.name });
}

function checkUpdate(parts: ServiceParts, namespace: NamespaceInfo, request: UpdateRequest): PreparedUpdate {
  checkNamespace(namespace, request.namespace);
  if (!request.workflowExecution?.workflowId) throw invalidArgument('WorkflowId is not set on request.');
  if (request.firstExecutionRunId) throw invalidArgument('FirstExecutionRunId is not allowed.');
  if (request.workflowExecution.runId) throw invalidArgument('RunId is not allowed.');
  return prepareUpdate(parts, request);
}

class UpdateWithStart {
  private readonly workflowId: string;

  constructor(
    private readonly parts: ServiceParts,
    private readonly starter: Starter,
    private readonly updater: Updater,
    private readonly namespace: NamespaceInfo,
    private readonly startRequest: StartRequest,
    private readonly update: PreparedUpdate,
    private readonly ctx: CallContext,
  ) {
    this.workflowId = startRequest.workflowId ?? '';
  }

  async run(): Promise<Response> {
    let closedOn = 0;
    for (let race = 0; race < MAX_RACES; race++) {
      const response = (await this.useExisting(() => ++closedOn)) ?? (closedOn > 1 ? undefined : await this.startNew());
      if (response !== undefined) return response;
      if (closedOn > 1) throw multiOperationError([multiOperationAborted(), this.closing()]);
    }
    throw multiOperationError([
      new ServiceError(Code.UNAVAILABLE, 'Workflow was not started: too many concurrent starts.'),
      multiOperationAborted(),
    ]);
  }

  /** ABORTED makes the client come again; the second closing run in a row is left to it. */
  private closing(): ServiceError {
    return new ServiceError(Code.ABORTED, toServiceError(abortedByClosing()).details);
  }

  /** The update goes to the running workflow, or was completed there before. Undefined = a new run is needed. */
  private async useExisting(onClosing: () => number): Promise<Response | undefined> {
    const current = await this.parts.store.currentRun(this.namespace.id, this.workflowId);
    if (current === null) return undefined;
    const known = await updateProgress(this.parts, current.runId, this.update.updateId);
    if (known?.stage === COMPLETED && known.outcome !== null) {
      return this.answer({ ...this.existing(current.runId), status: current.status as number }, current.runId, known);
    }
    if (current.status !== Status.Running) return undefined;
    const { conflict } = idPolicies(
      this.startRequest.workflowIdReusePolicy,
      this.startRequest.workflowIdConflictPolicy,
      'fail',
    );
    const deduplicated = current.startRequestId === this.startRequest.requestId;
    if (!deduplicated && known === undefined && conflict !== 'useExisting') return undefined;
    const target: Target = { namespaceId: this.namespace.id, workflowId: this.workflowId, runId: current.runId };
    try {
      await this.updater.admit(target, '', this.update);
      const progress = await this.wait(current.runId);
      return this.answer(this.existing(current.runId), current.runId, progress);
    } catch (error) {
      const failure = toServiceError(error);
      if (failure.code === Code.NOT_FOUND) {
        onClosing();
        return undefined;
      }
      throw multiOperationError([multiOperationAborted(), failure]);
    }
  }

  private async startNew(): Promise<Response | undefined> {
    const { startRequest } = this;
    const policies = idPolicies(startRequest.workflowIdReusePolicy, startRequest.workflowIdConflictPolicy, 'fail');
    let updateFailure: ServiceError | undefined;
    let outcome;
    try {
      outcome = await this.starter.start(this.namespace, startRequest, policies, {
        transition: (t) => {
          try {
            this.parts.engine.admitUpdate(t, this.update.request);
          } catch (error) {
            updateFailure = toServiceError(error);
            throw error;
          }
        },
      });
    } catch (error) {
      throw updateFailure === undefined
        ? multiOperationError([toServiceError(error), multiOperationAborted()])
        : multiOperationError([multiOperationAborted(), updateFailure]);
    }
    // Somebody else started it in between: look again.
    if (outcome.kind !== 'created') return undefined;
    try {
      const progress = await this.wait(outcome.runId);
      return this.answer(startResponse(startRequest, outcome), outcome.runId, progress);
    } catch (error) {
      throw multiOperationError([null, toServiceError(error)]);
    }
  }

  private async wait(runId: string): Promise<UpdateProgress> {
    const progress = await this.updater.wait(runId, this.update.updateId, this.update.waitStage, this.ctx);
    if (progress.aborted !== undefined) throw abortedByClosing();
    return progress;
  }

  private existing(runId: string): StartResponse {
    return {
      runId,
      started: false,
      status: Status.Running as number,
      link: startedLink(this.namespace.name, this.workflowId, runId),
    };
  }

  private answer(start: StartResponse, runId: string, progress: UpdateProgress): Response {
    const update = updateResponse(this.namespace.name, this.workflowId, runId, this.update, progress);
    return { responses: [{ startWorkflow: start }, { updateWorkflow: update }] };
  }
}

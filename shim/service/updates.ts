/** UpdateWorkflowExecution and PollWorkflowExecutionUpdate. */
import { temporal } from '@temporalio/proto';
import { Code, ServiceError, invalidArgument, notFound } from './errors';
import { requestLink } from './links';
import { LONG_POLL_MS, pollRun } from './long-poll';
import { type CurrentRuns, type Target, checkLength, chainNotFound, isWorkflowCompleted, targetOf } from './target';
import type { CallContext, Rpc, ServiceParts } from './types';
import { Stage, type UpdateProgress, abortedByClosing, hasSuccessor, updateProgress } from './update-outcome';

type Request = temporal.api.workflowservice.v1.IUpdateWorkflowExecutionRequest;
type Response = temporal.api.workflowservice.v1.IUpdateWorkflowExecutionResponse;
type PollRequest = temporal.api.workflowservice.v1.IPollWorkflowExecutionUpdateRequest;
type PollResponse = temporal.api.workflowservice.v1.IPollWorkflowExecutionUpdateResponse;
type UpdateRequest = temporal.api.update.v1.IRequest;

const ACCEPTED_EVENT = temporal.api.enums.v1.EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED;
/** Times that an update follows a chain to its next run before the caller is told to come again. */
const MAX_RUNS_FOLLOWED = 10;

/** A request that passed the frontend's checks. */
export interface PreparedUpdate {
  request: UpdateRequest;
  updateId: string;
  waitStage: Stage;
}

/** Checks the request; gives it an update id when it has none. */
export function prepareUpdate(parts: ServiceParts, request: Request): PreparedUpdate {
  const meta = request.request?.meta;
  if (!request.request || !meta) throw invalidArgument('Update meta is not set on request.');
  checkLength(meta.updateId, 'UpdateId');
  const input = request.request.input;
  if (!input) throw invalidArgument('Update input is not set on request.');
  if (!input.name) throw invalidArgument('Update name is not set on request.');
  const waitStage = request.waitPolicy?.lifecycleStage || Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED;
  if (waitStage === Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED) {
    throw new ServiceError(
      Code.PERMISSION_DENIED,
      'UpdateWorkflowExecution issued asynchronously and waiting on update admitted is not supported.',
    );
  }
  const updateId = meta.updateId || parts.newId();
  const prepared = meta.updateId ? request.request : { ...request.request, meta: { ...meta, updateId } };
  return { request: prepared, updateId, waitStage };
}

export class Updater {
  constructor(
    private readonly parts: ServiceParts,
    private readonly current: CurrentRuns,
  ) {}

  /** Admits the update (or finds it, also in a closed run). */
  async admit(target: Target, firstRunId: string, update: PreparedUpdate): Promise<string> {
    try {
      const { runId } = await this.current.mutate(target, firstRunId, (t) => {
        this.parts.engine.admitUpdate(t, update.request);
      });
      return runId;
    } catch (error) {
      if (!isWorkflowCompleted(error)) throw error;
      const runId = target.runId || (await this.current.current(target)).runId;
      if ((await updateProgress(this.parts, runId, update.updateId)) === undefined) throw error;
      return runId;
    }
  }

  /** Waits for the stage; when 20 s go by it is the stage reached, without outcome. */
  async wait(runId: string, updateId: string, stage: Stage, ctx: CallContext): Promise<UpdateProgress> {
    let last: UpdateProgress | undefined;
    const reached = await pollRun(this.parts.runs, runId, LONG_POLL_MS, ctx, async () => {
      last = await updateProgress(this.parts, runId, updateId);
      // The run closed and does not remember it: it never got as far as the history.
      if (last === undefined) return { ...NOT_REACHED, aborted: { continued: await hasSuccessor(this.parts, runId) } };
      return last.stage >= stage || last.aborted !== undefined ? last : undefined;
    });
    return reached ?? { ...(last ?? NOT_REACHED), outcome: null };
  }

  /** Admission and wait; an update that its run closed on before it was accepted goes to the next run of the chain. */
  async run(
    target: Target,
    firstRunId: string,
    update: PreparedUpdate,
    ctx: CallContext,
  ): Promise<{ runId: string; progress: UpdateProgress }> {
    for (let followed = 0; followed < MAX_RUNS_FOLLOWED; followed++) {
      const runId = await this.admit(target, firstRunId, update);
      const progress = await this.wait(runId, update.updateId, update.waitStage, ctx);
      if (progress.aborted === undefined) return { runId, progress };
      if (!progress.aborted.continued || target.runId !== '') throw abortedByClosing();
    }
    throw new ServiceError(
      Code.RESOURCE_EXHAUSTED,
      'workflow operation can not be applied because workflow is closing',
    );
  }
}

const NOT_REACHED: UpdateProgress = {
  stage: Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED,
  outcome: null,
};

export function updateResponse(
  namespace: string,
  workflowId: string,
  runId: string,
  update: PreparedUpdate,
  progress: UpdateProgress,
): Response {
  return {
    updateRef: { workflowExecution: { workflowId, runId }, updateId: update.updateId },
    outcome: progress.outcome,
    stage: progress.stage,
    link: updateLink(namespace, workflowId, runId, update, progress),
  };
}

function updateLink(
  namespace: string,
  workflowId: string,
  runId: string,
  update: PreparedUpdate,
  { stage, outcome }: UpdateProgress,
): temporal.api.common.v1.ILink | null {
  if (outcome?.failure && stage === Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED) {
    return { workflow: { namespace, workflowId, runId, reason: 'Update rejected' } };
  }
  if (stage < Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED) return null;
  return requestLink(namespace, workflowId, runId, update.request.requestId ?? '', ACCEPTED_EVENT);
}

export function updateWorkflowExecution(
  parts: ServiceParts,
  current: CurrentRuns,
  updater: Updater,
): Rpc<Request, Response> {
  return async (request, ctx) => {
    const target = await targetOf(parts, request.namespace, request.workflowExecution);
    const update = prepareUpdate(parts, request);
    const firstRunId = request.firstExecutionRunId ?? '';
    if (firstRunId !== '' && target.runId === '' && (await current.current(target)).firstRunId !== firstRunId) {
      throw chainNotFound();
    }
    const { runId, progress } = await updater.run(target, firstRunId, update, ctx);
    return updateResponse(request.namespace ?? '', target.workflowId, runId, update, progress);
  };
}

export function pollWorkflowExecutionUpdate(
  parts: ServiceParts,
  current: CurrentRuns,
  updater: Updater,
): Rpc<PollRequest, PollResponse> {
  return async (request, ctx) => {
    const ref = request.updateRef;
    if (!ref) throw invalidArgument('UpdateRef is not set on request.');
    const target = await targetOf(parts, request.namespace, ref.workflowExecution);
    const updateId = ref.updateId ?? '';
    const runId = target.runId || (await current.current(target)).runId;
    if ((await updateProgress(parts, runId, updateId)) === undefined) throw notFound(`update "${updateId}" not found`);
    const stage = request.waitPolicy?.lifecycleStage || Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_UNSPECIFIED;
    const progress = await updater.wait(runId, updateId, stage, ctx);
    if (progress.aborted !== undefined) throw abortedByClosing();
    return {
      outcome: progress.outcome,
      stage: progress.stage,
      updateRef: { workflowExecution: { workflowId: target.workflowId, runId }, updateId },
    };
  };
}

/** The beginning of a run: checks of a client's request, and the first transition of every run. */
import { temporal } from '@temporalio/proto';
import { fromMs, long, ms } from '../../common/proto-values';
import { invalidArgument } from '../errors';
import type { Request } from './api';
import { cronBackoffMs, validateCronSchedule } from './cron';
import { cappedMs } from './durations';
import { EventType } from './event-fields';
import { validatePriority } from './priority';
import { validateRetryPolicy, withRetryDefaults } from './retry';
import { validateSearchAttributes, validateSearchAttributesSize, withTypes } from './search-attributes';
import { payloadMapSize, payloadsSize } from './size';
import { emptyState } from './state';
import { RunTransition } from './transition';
import type { EngineContext, Limits, StartInput } from './types';
import {
  requireBlobSize,
  requireDuration,
  requireId,
  requireMemoSize,
  requireTaskQueue,
  tooLong,
  unsupported,
} from './validate';
import { overrideOf, wireOverride } from './versioning/override';
import { scheduleWorkflowTask } from './workflow-task';

import Initiator = temporal.api.enums.v1.ContinueAsNewInitiator;
import Reuse = temporal.api.enums.v1.WorkflowIdReusePolicy;
import Conflict = temporal.api.enums.v1.WorkflowIdConflictPolicy;

type StartedAttributes = StartInput['attributes'];

/** Timeouts of a run in ms (0 = none): the run's is bounded by the execution's, the task's by its maximum and the run's. */
export function normalizeTimeouts(
  timeouts: { executionMs: number; runMs: number; taskMs: number },
  limits: Limits,
): { executionMs: number; runMs: number; taskMs: number } {
  const { executionMs } = timeouts;
  let { runMs, taskMs } = timeouts;
  if (executionMs > 0) runMs = runMs > 0 ? Math.min(runMs, executionMs) : executionMs;
  taskMs = Math.min(taskMs || limits.defaultTaskTimeoutMs, limits.maxTaskTimeoutMs);
  if (runMs > 0) taskMs = Math.min(taskMs, runMs);
  return { executionMs, runMs, taskMs };
}

function validatePolicies(request: Request<'StartWorkflowExecutionRequest'>): void {
  const reuse = request.workflowIdReusePolicy ?? Reuse.WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED;
  const conflict = request.workflowIdConflictPolicy ?? Conflict.WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED;
  if (
    conflict !== Conflict.WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED &&
    reuse === Reuse.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING
  ) {
    throw invalidArgument(
      'Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING cannot be used together with a WorkflowIDConflictPolicy',
    );
  }
  if (
    conflict === Conflict.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING &&
    reuse === Reuse.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
  ) {
    throw invalidArgument(
      'Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE cannot be used together with WorkflowIdConflictPolicy WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING',
    );
  }
}

/**
 * A client's start as input of `start`: checked, with the server's defaults. Id policies are checked for sense only; the caller applies
 * them. Throws INVALID_ARGUMENT, or UNIMPLEMENTED naming an option that is not honoured.
 */
export function startInputFromRequest(
  request: Request<'StartWorkflowExecutionRequest'>,
  ctx: EngineContext,
): StartInput {
  const { limits } = ctx;
  const workflowId = requireId(request.workflowId, 'WorkflowId', limits);
  const retryPolicy = request.retryPolicy ? withRetryDefaults(request.retryPolicy) : null;
  if (retryPolicy) validateRetryPolicy(retryPolicy);
  const cronSchedule = request.cronSchedule ?? '';
  if (cronSchedule !== '' && request.workflowStartDelay) {
    throw invalidArgument('CronSchedule and WorkflowStartDelay may not be used together.');
  }
  requireDuration(request.workflowStartDelay, 'WorkflowStartDelay');
  validateCronSchedule(cronSchedule, ctx.nowMs);
  const workflowType = requireId(request.workflowType?.name, 'WorkflowType', limits);
  if (!request.taskQueue) throw invalidArgument('taskQueue is not set');
  const taskQueue = requireTaskQueue(request.taskQueue.name, limits);
  requireDuration(request.workflowExecutionTimeout, 'WorkflowExecutionTimeout');
  requireDuration(request.workflowRunTimeout, 'WorkflowRunTimeout');
  requireDuration(request.workflowTaskTimeout, 'WorkflowTaskTimeout');
  const requestId = request.requestId || ctx.newId();
  if (tooLong(requestId, limits)) throw invalidArgument('RequestId length exceeds limit.');
  validatePolicies(request);
  const namespace = request.namespace ?? '';
  const searchAttributes = request.searchAttributes?.indexedFields;
  validateSearchAttributes(searchAttributes, ctx.searchAttributeTypes, namespace);
  validateSearchAttributesSize(searchAttributes);
  validatePriority(request.priority);
  if (request.completionCallbacks?.length) throw unsupported('completionCallbacks');
  const override = overrideOf(request.versioningOverride);
  requireBlobSize(payloadsSize(request.input), ctx, 'StartWorkflowExecution');
  requireMemoSize(payloadMapSize(request.memo?.fields), ctx, 'StartWorkflowExecution');

  const timeouts = normalizeTimeouts(
    {
      executionMs: cappedMs(request.workflowExecutionTimeout),
      runMs: cappedMs(request.workflowRunTimeout),
      taskMs: cappedMs(request.workflowTaskTimeout),
    },
    limits,
  );
  const runId = ctx.newId();
  const attributes: StartedAttributes = {
    workflowType: { name: workflowType },
    taskQueue: { name: taskQueue, kind: 1 },
    ...(request.input ? { input: request.input } : {}),
    ...(request.workflowExecutionTimeout ? { workflowExecutionTimeout: fromMs(timeouts.executionMs) } : {}),
    // A zero that was sent stays; what was left out stays out unless the execution's timeout bounds the run.
    ...(request.workflowRunTimeout || timeouts.runMs > 0 ? { workflowRunTimeout: fromMs(timeouts.runMs) } : {}),
    workflowTaskTimeout: fromMs(timeouts.taskMs),
    ...(cronSchedule === '' ? {} : { initiator: Initiator.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE, cronSchedule }),
    ...(request.continuedFailure ? { continuedFailure: request.continuedFailure } : {}),
    ...(request.lastCompletionResult ? { lastCompletionResult: request.lastCompletionResult } : {}),
    originalExecutionRunId: runId,
    ...(request.identity ? { identity: request.identity } : {}),
    firstExecutionRunId: runId,
    ...(retryPolicy ? { retryPolicy } : {}),
    attempt: 1,
    ...(request.memo ? { memo: request.memo } : {}),
    ...(request.searchAttributes
      ? { searchAttributes: { indexedFields: withTypes(searchAttributes, ctx.searchAttributeTypes) } }
      : {}),
    ...(request.header ? { header: request.header } : {}),
    ...(override === null ? {} : { versioningOverride: wireOverride(override) }),
    workflowId,
    ...(request.priority ? { priority: request.priority } : {}),
  };
  return {
    namespace,
    workflowId,
    runId,
    requestId,
    attributes,
    parent: null,
    root: null,
    firstTaskBackoffMs:
      cronSchedule === ''
        ? cappedMs(request.workflowStartDelay)
        : (cronBackoffMs(cronSchedule, ctx.nowMs, ctx.nowMs) ?? 0),
    signal: null,
    userMetadata: request.userMetadata ?? null,
    links: request.links ?? [],
  };
}

/**
 * A new run: Started, the signal it was started with, and its first workflow task unless that has to wait.
 * Parent and root in `input` are written into the attributes here, so that the event alone rebuilds the state.
 */
export function start(input: StartInput, ctx: EngineContext): RunTransition {
  const state = emptyState(input.namespace);
  const t = new RunTransition(state, ctx);
  state.workflowId = input.workflowId;
  state.runId = input.runId;
  state.startRequestId = input.requestId;
  t.addEvent(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, startedAttributes(input, ctx), {
    userMetadata: input.userMetadata,
    links: input.links,
  });
  if (input.signal) t.addEvent(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, input.signal);
  if (state.firstTaskAtMs === 0) scheduleWorkflowTask(t);
  return t;
}

function startedAttributes(input: StartInput, ctx: EngineContext): StartedAttributes {
  const { parent, root } = input;
  const attributes: StartedAttributes = {
    ...input.attributes,
    originalExecutionRunId: input.attributes.originalExecutionRunId || input.runId,
    firstExecutionRunId: input.attributes.firstExecutionRunId || input.runId,
    firstWorkflowTaskBackoff: fromMs(input.firstTaskBackoffMs),
    workflowId: input.workflowId,
  };
  const executionMs = ms(attributes.workflowExecutionTimeout);
  if (executionMs > 0 && !attributes.workflowExecutionExpirationTime) {
    // Whole milliseconds, as the server rounds it.
    attributes.workflowExecutionExpirationTime = fromMs(Math.round(ctx.nowMs + executionMs));
  }
  if (parent) {
    attributes.parentWorkflowNamespace = parent.namespace;
    attributes.parentWorkflowExecution = { workflowId: parent.workflowId, runId: parent.runId };
    attributes.parentInitiatedEventId = long(parent.initiatedEventId);
  }
  if (root && !attributes.rootWorkflowExecution) attributes.rootWorkflowExecution = { ...root };
  return attributes;
}

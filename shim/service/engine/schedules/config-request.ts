/** A client's Schedule message as configuration: checked, with the server's defaults. */
import { temporal } from '@temporalio/proto';
import { int64, optionalMs } from '../../../common/proto-values';
import { invalidArgument } from '../../errors';
import { withRetryDefaults, validateRetryPolicy } from '../retry';
import { validateSearchAttributes, validateSearchAttributesSize } from '../search-attributes';
import { payloadMapSize, payloadsSize } from '../size';
import { validatePriority } from '../priority';
import type { EngineContext } from '../types';
import { overrideOf, wireOverride } from '../versioning/override';
import { requireBlobSize, requireDuration, requireId, requireMemoSize, requireTaskQueue } from '../validate';
import { canonicalSpec } from './canonical-spec';
import { type Spec, SpecError } from './spec-types';
import type { Policies, ScheduleConfig, SchedulePatch, StartAction } from './types';

import Policy = temporal.api.enums.v1.ScheduleOverlapPolicy;
import Reuse = temporal.api.enums.v1.WorkflowIdReusePolicy;

type ScheduleMessage = temporal.api.schedule.v1.ISchedule;
type PatchMessage = temporal.api.schedule.v1.ISchedulePatch;

const DEFAULT_CATCHUP_MS = 365 * 24 * 3_600_000;
const MIN_CATCHUP_MS = 10_000;
/** What comes behind the action's workflow id. */
const TIME_LENGTH = '-2009-11-10T23:00:00Z'.length;
const NOTES_LENGTH = 1000;

/** @throws ServiceError INVALID_ARGUMENT, or UNIMPLEMENTED for what Branchline does not honour */
export function configFromMessage(
  given: ScheduleMessage | null | undefined,
  ctx: EngineContext,
  namespace: string,
): ScheduleConfig {
  const message = plain(temporal.api.schedule.v1.Schedule, given ?? {});
  const { startWorkflow } = message.action ?? {};
  const { state } = message;
  return {
    spec: checkedSpec(message.spec ?? {}),
    startWorkflow: startWorkflow ? checkedAction(startWorkflow, ctx, namespace) : null,
    policies: policiesOf(message.policies),
    paused: state?.paused ?? false,
    notes: state?.notes ?? '',
    limitedActions: state?.limitedActions ?? false,
    remainingActions: int64(state?.remainingActions),
  };
}

/** `nowMs`: when a trigger that names no time is for. */
export function patchFromMessage(given: PatchMessage | null | undefined, nowMs: number): SchedulePatch {
  const message = plain(temporal.api.schedule.v1.SchedulePatch, given ?? {});
  const { triggerImmediately: trigger, pause = '', unpause = '' } = message;
  if (Math.max(Buffer.byteLength(pause ?? ''), Buffer.byteLength(unpause ?? '')) > NOTES_LENGTH) {
    throw invalidArgument('Schedule notes exceeds limit.');
  }
  return {
    trigger: trigger
      ? {
          overlapPolicy: policy(trigger.overlapPolicy),
          // Whole milliseconds, as JavaScript's dates in the attributes of the workflow.
          scheduledMs: optionalMs(trigger.scheduledTime) ?? Math.floor(nowMs),
        }
      : null,
    backfills: (message.backfillRequest ?? []).map(({ startTime, endTime, overlapPolicy }) => ({
      startMs: optionalMs(startTime) ?? 0,
      endMs: optionalMs(endTime) ?? 0,
      overlapPolicy: policy(overlapPolicy),
    })),
    pause: pause ?? '',
    unpause: unpause ?? '',
  };
}

interface MessageType<T> {
  fromObject(object: object): T;
  toObject(message: T, options: { longs: typeof Number }): object;
}

/** Own members only, int64 as numbers: what survives JSON. */
function plain<T extends object>(type: unknown, message: T): T {
  const codec = type as MessageType<T>;
  return codec.toObject(codec.fromObject(message), { longs: Number }) as T;
}

function checkedSpec(spec: temporal.api.schedule.v1.IScheduleSpec): Spec {
  try {
    return canonicalSpec(spec);
  } catch (error) {
    if (error instanceof SpecError) throw invalidArgument(`Invalid schedule spec: ${error.message}`);
    throw error;
  }
}

function policiesOf(given: temporal.api.schedule.v1.ISchedulePolicies | null | undefined): Policies {
  const overlapPolicy = policy(given?.overlapPolicy);
  return {
    overlapPolicy:
      overlapPolicy === Policy.SCHEDULE_OVERLAP_POLICY_UNSPECIFIED
        ? Policy.SCHEDULE_OVERLAP_POLICY_SKIP
        : overlapPolicy,
    catchupWindowMs: Math.max(MIN_CATCHUP_MS, optionalMs(given?.catchupWindow) ?? DEFAULT_CATCHUP_MS),
    pauseOnFailure: given?.pauseOnFailure ?? false,
    keepOriginalWorkflowId: given?.keepOriginalWorkflowId ?? false,
  };
}

function policy(given: Policy | null | undefined): Policy {
  const value = given ?? Policy.SCHEDULE_OVERLAP_POLICY_UNSPECIFIED;
  if (Policy[value] === undefined) throw invalidArgument(`Unknown ScheduleOverlapPolicy: ${value}.`);
  return value;
}

/** What cannot be started is refused when it is set, not when its time has come. */
function checkedAction(action: StartAction, ctx: EngineContext, namespace: string): StartAction {
  const { limits } = ctx;
  const shorter = { ...limits, idLength: limits.idLength - TIME_LENGTH };
  requireId(action.workflowId, 'WorkflowId', shorter);
  requireId(action.workflowType?.name, 'WorkflowType', limits);
  const taskQueue = requireTaskQueue(action.taskQueue?.name, limits);
  requireDuration(action.workflowExecutionTimeout, 'WorkflowExecutionTimeout');
  requireDuration(action.workflowRunTimeout, 'WorkflowRunTimeout');
  requireDuration(action.workflowTaskTimeout, 'WorkflowTaskTimeout');
  if (action.cronSchedule) throw invalidArgument('Scheduled workflow must not contain CronSchedule');
  const reuse = action.workflowIdReusePolicy ?? Reuse.WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED;
  if (
    reuse !== Reuse.WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED &&
    reuse !== Reuse.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
  ) {
    throw invalidArgument('Scheduled workflow must not contain WorkflowIDReusePolicy');
  }
  const override = overrideOf(action.versioningOverride);
  if (action.retryPolicy) validateRetryPolicy(withRetryDefaults(action.retryPolicy));
  validateSearchAttributes(action.searchAttributes?.indexedFields, ctx.searchAttributeTypes, namespace);
  validateSearchAttributesSize(action.searchAttributes?.indexedFields);
  validatePriority(action.priority);
  requireBlobSize(payloadsSize(action.input), ctx, 'CreateSchedule');
  requireMemoSize(payloadMapSize(action.memo?.fields), ctx, 'CreateSchedule');
  return {
    ...action,
    ...(override === null ? {} : { versioningOverride: wireOverride(override) }),
    taskQueue: { ...action.taskQueue, name: taskQueue, kind: 1 },
  };
}

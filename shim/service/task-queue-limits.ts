/** What limits task queues: UpdateTaskQueueConfig, and Branchline's own limits per fairness key. */
import { temporal } from '@temporalio/proto';
import { fromMs } from '../common/proto-values';
import { validateFairnessKey } from './engine/priority';
import { requireTaskQueue, tooLong } from './engine/validate';
import { invalidArgument } from './errors';
import type { TaskQueueConfig } from './matching/queue-configs';
import type { Rpc, ServiceParts } from './types';

type UpdateRequest = temporal.api.workflowservice.v1.IUpdateTaskQueueConfigRequest;
type UpdateResponse = temporal.api.workflowservice.v1.IUpdateTaskQueueConfigResponse;
type RateUpdate = NonNullable<UpdateRequest['updateQueueRateLimit']>;

const Type = temporal.api.enums.v1.TaskQueueType;
const MAX_REASON = 1000;
/** Weight overrides of one queue (matching.maxFairnessKeyWeightOverrides). */
const MAX_OVERRIDES = 1000;

/** A limit per fairness key on an activity queue, as clients name it. */
export interface FairnessKeyLimitRequest {
  namespace?: string | null;
  taskQueue?: string | null;
  /** `*` = each key without a limit of its own. */
  fairnessKey?: string | null;
  maxConcurrent?: number | null;
  maxPerSecond?: number | null;
}

export interface FairnessKeyLimitsResponse {
  limits: {
    fairnessKey: string;
    maxConcurrent: number | null;
    maxPerSecond: number | null;
    /** Attempts that have one of the places. */
    running: number;
  }[];
}

export function taskQueueLimitRpcs(parts: ServiceParts) {
  return {
    updateTaskQueueConfig: updateTaskQueueConfig(parts),
    setFairnessKeyLimit: setFairnessKeyLimit(parts),
    listFairnessKeyLimits: listFairnessKeyLimits(parts),
  };
}

function updateTaskQueueConfig(parts: ServiceParts): Rpc<UpdateRequest, UpdateResponse> {
  return async (request) => {
    const { id } = await parts.namespace(request.namespace);
    validateUpdate(request, parts);
    const queue = requireTaskQueue(request.taskQueue, parts.limits);
    const kind = request.taskQueueType === Type.TASK_QUEUE_TYPE_ACTIVITY ? 'activity' : 'workflow';
    for (;;) {
      const before = await parts.store.taskQueues.config(id, queue, kind);
      const config = updated(before?.config ?? {}, request, parts.store.nowMs());
      const row = { namespaceId: id, queue, kind, version: before?.version ?? 0, config } as const;
      if (!(await parts.store.taskQueues.setConfig(row))) continue;
      await parts.matching.limitsChanged();
      return { config };
    }
  };
}

function validateUpdate(request: UpdateRequest, parts: ServiceParts): void {
  const { updateQueueRateLimit, updateFairnessKeyRateLimitDefault, taskQueueType } = request;
  const ofWorkflows = taskQueueType === Type.TASK_QUEUE_TYPE_WORKFLOW;
  if (updateQueueRateLimit?.rateLimit && ofWorkflows) {
    throw invalidArgument('Setting rate limit on workflow task queues is not allowed.');
  }
  validateRate(updateQueueRateLimit, 'UpdateQueueRateLimit');
  if (updateFairnessKeyRateLimitDefault?.rateLimit && ofWorkflows) {
    throw invalidArgument('Setting fairness key rate limit on workflow task queues is not allowed.');
  }
  validateRate(updateFairnessKeyRateLimitDefault, 'UpdateFairnessKeyRateLimitDefault');
  if (tooLong(request.identity ?? '', parts.limits)) {
    throw invalidArgument(`Identity field too long (max ${parts.limits.idLength} characters).`);
  }
  const set = request.setFairnessWeightOverrides ?? {};
  const unset = request.unsetFairnessWeightOverrides ?? [];
  const count = Object.keys(set).length + unset.length;
  if (count > MAX_OVERRIDES) {
    throw invalidArgument(`too many fairness weight overrides in request: got ${count}, maximum ${MAX_OVERRIDES}`);
  }
  for (const [key, weight] of Object.entries(set)) {
    validateOverrideKey(key);
    // The server's own words.
    if (!(weight > 0)) {
      throw invalidArgument(`invalid fairness weight weight for key ${JSON.stringify(key)}: must be greater than zero`);
    }
  }
  for (const key of unset) {
    validateOverrideKey(key);
    if (key in set) {
      throw invalidArgument(`fairness weight override key ${JSON.stringify(key)} present in both set and unset lists`);
    }
  }
}

function validateRate(update: RateUpdate | null | undefined, name: string): void {
  if (!update?.rateLimit) return;
  if ((update.rateLimit.requestsPerSecond ?? 0) < 0) {
    throw invalidArgument(`RequestsPerSecond for ${name} rate limit must be non-negative.`);
  }
  if (Buffer.byteLength(update.reason ?? '') > MAX_REASON) {
    throw invalidArgument(`${name}.Reason field too long (max ${MAX_REASON} characters).`);
  }
}

function validateOverrideKey(key: string): void {
  if (key === '') throw invalidArgument('fairness weight override key must not be empty');
  validateFairnessKey(key);
}

function updated(config: TaskQueueConfig, request: UpdateRequest, nowMs: number): TaskQueueConfig {
  const after = { ...config };
  const rate = (update: RateUpdate): TaskQueueConfig['queueRateLimit'] => ({
    ...(update.rateLimit ? { rateLimit: { requestsPerSecond: update.rateLimit.requestsPerSecond ?? 0 } } : {}),
    metadata: { reason: update.reason ?? '', updateIdentity: request.identity ?? '', updateTime: fromMs(nowMs) },
  });
  if (request.updateQueueRateLimit) after.queueRateLimit = rate(request.updateQueueRateLimit);
  if (request.updateFairnessKeyRateLimitDefault) {
    after.fairnessKeysRateLimitDefault = rate(request.updateFairnessKeyRateLimitDefault);
  }
  const unset = request.unsetFairnessWeightOverrides ?? [];
  const weights = { ...config.fairnessWeightOverrides, ...request.setFairnessWeightOverrides };
  for (const key of unset) delete weights[key];
  if (Object.keys(weights).length > MAX_OVERRIDES) {
    throw invalidArgument('fairness weight overrides update rejected: exceeding maximum key size');
  }
  if (Object.keys(weights).length > 0) after.fairnessWeightOverrides = weights;
  else delete after.fairnessWeightOverrides;
  return after;
}

/** Without any limit: removes it. */
function setFairnessKeyLimit(parts: ServiceParts): Rpc<FairnessKeyLimitRequest, object> {
  return async (request) => {
    const { id } = await parts.namespace(request.namespace);
    const queue = requireTaskQueue(request.taskQueue, parts.limits);
    const fairnessKey = request.fairnessKey ?? '';
    validateFairnessKey(fairnessKey);
    const { maxConcurrent = null, maxPerSecond = null } = request;
    if (maxConcurrent !== null && !(Number.isSafeInteger(maxConcurrent) && maxConcurrent >= 0)) {
      throw invalidArgument('maxConcurrent must be a whole number of at least 0');
    }
    if (maxPerSecond !== null && !(Number.isFinite(maxPerSecond) && maxPerSecond >= 0)) {
      throw invalidArgument('maxPerSecond must be a number of at least 0');
    }
    const { taskQueues } = parts.store;
    if (maxConcurrent === null && maxPerSecond === null) await taskQueues.removeKeyLimit(id, queue, fairnessKey);
    else await taskQueues.setKeyLimit(id, queue, fairnessKey, { maxConcurrent, maxPerSecond });
    await parts.matching.limitsChanged();
    return {};
  };
}

function listFairnessKeyLimits(parts: ServiceParts): Rpc<FairnessKeyLimitRequest, FairnessKeyLimitsResponse> {
  return async (request) => {
    const { id } = await parts.namespace(request.namespace);
    const queue = requireTaskQueue(request.taskQueue, parts.limits);
    const limits = await parts.store.taskQueues.keyLimits(id, queue);
    return {
      limits: limits.map(({ fairnessKey, maxConcurrent, maxPerSecond, running }) => ({
        fairnessKey,
        maxConcurrent,
        maxPerSecond,
        running,
      })),
    };
  };
}

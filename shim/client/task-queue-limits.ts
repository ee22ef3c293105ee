/** Limits per tenant on activity queues: Branchline's own, where Temporal has only shares and one rate for all keys. */
import type { FairnessKeyLimitRequest, FairnessKeyLimitsResponse } from '../service/task-queue-limits';
import type { RpcCaller } from './rpc-caller';

/** At least one of the two. */
export interface FairnessKeyLimit {
  /** Activity attempts that run at once, over all workers and processes. Whole number; 0 stops the key. Default: no limit. */
  maxConcurrent?: number;
  /** Activity starts per second, over all workers and processes. 0 stops the key. Default: no limit. */
  maxPerSecond?: number;
}

export interface FairnessKeyOnQueue {
  /** Default `default`. */
  namespace?: string;
  taskQueue: string;
  /**
   * `priority.fairnessKey` of activities or their workflows: a tenant's name, say. `*` = each key that has no limit of its own; activities
   * without a key are then not limited.
   */
  fairnessKey: string;
}

/**
 * Limits on the activities of one fairness key on one task queue. They are kept in Postgres and hold over all processes, from the next start
 * on; what runs already goes on. Counted are attempts that workers of the queue start, not local activities. Where no limit is set, nothing is
 * counted and nothing written.
 */
export class TaskQueueLimits {
  constructor(private readonly caller: Pick<RpcCaller, 'call'>) {}

  /** @throws ServiceError INVALID_ARGUMENT for a limit that is no number of at least 0, or a key of more than 64 bytes */
  async set(key: FairnessKeyOnQueue, limit: FairnessKeyLimit): Promise<void> {
    await this.call('setFairnessKeyLimit', { ...key, ...limit });
  }

  async remove(key: FairnessKeyOnQueue): Promise<void> {
    await this.call('setFairnessKeyLimit', key);
  }

  /** By fairness key; `running` = attempts of that key that run now, where their number is limited. */
  async list(queue: Omit<FairnessKeyOnQueue, 'fairnessKey'>): Promise<FairnessKeyLimitsResponse['limits']> {
    return ((await this.call('listFairnessKeyLimits', queue)) as FairnessKeyLimitsResponse).limits;
  }

  private call(method: string, request: FairnessKeyLimitRequest): Promise<object> {
    return this.caller.call(method, { fromObject: (object) => object }, { namespace: 'default', ...request });
  }
}

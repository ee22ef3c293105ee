/** Task queues: priority and fairness of what is started, the configuration of a queue, and what a worker is told of itself. */
import { temporal } from '@temporalio/proto';
import { completeWorkflow } from '../harness/commands';
import { NAMESPACE } from '../harness/engines';
import type { Scenario } from '../harness/scenario';
import { everyInfo } from '../workflows';

const { RATE_LIMIT_SOURCE_API } = temporal.api.enums.v1.RateLimitSource;
const { TASK_QUEUE_TYPE_ACTIVITY, TASK_QUEUE_TYPE_WORKFLOW } = temporal.api.enums.v1.TaskQueueType;

const rate = (requestsPerSecond: number, reason = '') => ({ rateLimit: { requestsPerSecond }, reason });

export const taskQueues: Scenario[] = [
  {
    name: 'priority inherited by activities',
    covers: ['C122', 'C124'],
    async run(c) {
      await c.startRaw({ priority: { priorityKey: 2, fairnessKey: 'tenant', fairnessWeight: 3 } });
      const raw = c.raw();
      const ids = ['none', 'key', 'fair', 'both'];
      await raw.step([
        raw.scheduleActivity('none'),
        raw.scheduleActivity('key', { priority: { priorityKey: 5 } }),
        raw.scheduleActivity('fair', { priority: { fairnessKey: 'other', fairnessWeight: 0.5 } }),
        raw.scheduleActivity('both', { priority: { priorityKey: 1, fairnessKey: 'own' } }),
      ]);
      const seen: Record<string, unknown> = {};
      for (const _ of ids) {
        const task = await raw.pollActivity();
        seen[task.activityId] = task.priority;
      }
      const { pendingActivities } = await c.rpc.describeWorkflowExecution({
        namespace: NAMESPACE,
        execution: { workflowId: c.id() },
      });
      await raw.step([completeWorkflow()]).catch(() => undefined);
      const pending = pendingActivities.map(({ activityId, priority }) => ({ activityId, priority }));
      return { seen, pending: pending.sort((a, b) => ((a.activityId ?? '') < (b.activityId ?? '') ? -1 : 1)) };
    },
  },
  {
    name: 'priorities that are refused',
    covers: ['C10', 'C124'],
    async run(c) {
      const errors: unknown[] = [];
      for (const priority of [{ priorityKey: -1 }, { fairnessKey: 'x'.repeat(65) }, { fairnessWeight: -1 }]) {
        // Servers of different versions word it differently.
        errors.push(((await c.error(c.startRaw({ priority }))) as Error & { code?: number }).code);
      }
      return errors;
    },
  },
  {
    name: 'queue limits set and taken back',
    covers: ['C125'],
    async run(c) {
      const taskQueue = c.id();
      const update = (more: object) =>
        c.rpc.updateTaskQueueConfig({
          namespace: NAMESPACE,
          identity: 'op',
          taskQueue,
          taskQueueType: TASK_QUEUE_TYPE_ACTIVITY,
          ...more,
        });
      const shown = async () => {
        const { config, effectiveRateLimit } = await c.rpc.describeTaskQueue({
          namespace: NAMESPACE,
          taskQueue: { name: taskQueue },
          taskQueueType: TASK_QUEUE_TYPE_ACTIVITY,
          reportConfig: true,
        });
        return {
          queue: config?.queueRateLimit?.rateLimit,
          reason: config?.queueRateLimit?.metadata?.reason,
          by: config?.queueRateLimit?.metadata?.updateIdentity,
          keys: config?.fairnessKeysRateLimitDefault?.rateLimit,
          // Without a limit a server shows its own.
          effective: config?.queueRateLimit?.rateLimit ? effectiveRateLimit : undefined,
        };
      };
      await update({ updateQueueRateLimit: rate(5, 'why') });
      const first = await c.until(async () => {
        const now = await shown();
        // A server's queue hears of it a moment later.
        return now.effective?.rateLimitSource === RATE_LIMIT_SOURCE_API ? now : undefined;
      });
      await update({ updateFairnessKeyRateLimitDefault: rate(2) });
      const second = await c.until(async () => {
        const now = await shown();
        return now.keys ? now : undefined;
      });
      await update({ updateQueueRateLimit: { reason: 'no more' } });
      const third = await c.until(async () => {
        const now = await shown();
        return now.queue ? undefined : now;
      });
      return [first, second, third];
    },
  },
  {
    name: 'queue limits that are refused',
    covers: ['C125'],
    async run(c) {
      const refused = (more: object) =>
        c.error(
          c.rpc.updateTaskQueueConfig({
            namespace: NAMESPACE,
            taskQueue: c.id(),
            taskQueueType: TASK_QUEUE_TYPE_ACTIVITY,
            ...more,
          }),
        );
      return [
        await refused({ taskQueueType: TASK_QUEUE_TYPE_WORKFLOW, updateQueueRateLimit: rate(1) }),
        await refused({ updateQueueRateLimit: rate(-1) }),
        await refused({ updateQueueRateLimit: rate(1, 'x'.repeat(1001)) }),
        await refused({ updateFairnessKeyRateLimitDefault: rate(-1) }),
      ];
    },
  },
  {
    name: 'every field of both kinds of info',
    covers: ['C35', 'C38', 'C124'],
    async run(c) {
      const handle = await c.start(everyInfo, {
        memo: { note: 'kept' },
        searchAttributes: { ScenarioKeyword: ['found'] },
        priority: { priorityKey: 2, fairnessKey: 'tenant', fairnessWeight: 2 },
        retry: { maximumAttempts: 3, initialInterval: '2s' },
        workflowExecutionTimeout: '100s',
        workflowRunTimeout: '90s',
        workflowTaskTimeout: '9s',
        staticSummary: 'a summary',
        staticDetails: 'details',
      });
      return handle.result();
    },
  },
];

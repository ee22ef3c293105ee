/** Pending activities under an operator's hand: pause, unpause, reset, patched options. */
import { completeWorkflow, seconds } from '../harness/commands';
import type { ActivityTask, RawWorker } from '../harness/raw-worker';
import type { Context, Scenario } from '../harness/scenario';

type Described = Awaited<ReturnType<typeof described>>;

/** A raw workflow with the activity `a` scheduled on the scenario's queue. */
async function scheduled(c: Context, more: Parameters<RawWorker['scheduleActivity']>[1] = {}): Promise<RawWorker> {
  await c.startRaw();
  const raw = c.raw();
  const retryPolicy = { initialInterval: seconds(0.1), backoffCoefficient: 1 };
  await raw.step([raw.scheduleActivity('a', { heartbeatTimeout: seconds(20), retryPolicy, ...more })]);
  return raw;
}

const which = (c: Context) => ({
  namespace: c.namespace,
  execution: { workflowId: c.id() },
  identity: 'operator',
});

async function described(c: Context) {
  const { raw } = await c.client.workflow.getHandle(c.id()).describe();
  const activity = raw.pendingActivities?.[0];
  if (!activity) return undefined;
  const { state, attempt, paused, pauseInfo, lastFailure, heartbeatDetails, activityOptions } = activity;
  const pauseAttribute = raw.workflowExecutionInfo?.searchAttributes?.indexedFields?.TemporalPauseInfo;
  return { state, attempt, paused, pauseInfo, lastFailure, heartbeatDetails, activityOptions, pauseAttribute };
}

/** The search attribute and the heartbeat are there a moment later on a real server. */
const until = (c: Context, check: (activity: NonNullable<Described>) => boolean) =>
  c.until(async () => {
    const activity = await described(c);
    return activity !== undefined && check(activity) && activity;
  });

async function end(raw: RawWorker, task: ActivityTask): Promise<void> {
  await raw.completeActivity(task);
  await raw.step([completeWorkflow()]);
}

export const activityControls: Scenario[] = [
  {
    name: 'a paused activity waits, and is handed out after its unpause',
    covers: ['C52'],
    async run(c) {
      const raw = await scheduled(c);
      const before = await described(c);
      const answer = await c.rpc.pauseActivity({ ...which(c), id: 'a', reason: 'why' });
      const paused = await until(c, ({ pauseAttribute }) => pauseAttribute != null);
      await c.rpc.unpauseActivity({ ...which(c), id: 'a' });
      const after = await until(c, ({ pauseAttribute }) => pauseAttribute == null);
      await end(raw, await raw.pollActivity());
      return { before, answer, paused, after };
    },
  },
  {
    name: 'a running attempt hears of the pause, and its failure waits',
    covers: ['C52', 'C44'],
    async run(c) {
      const raw = await scheduled(c);
      const task = await raw.pollActivity();
      await raw.heartbeat(task, 'one');
      await c.rpc.pauseActivity({ ...which(c), type: 'act' });
      const heartbeat = await raw.heartbeat(task, 'two');
      const running = await until(c, ({ pauseAttribute }) => pauseAttribute != null);
      await raw.failActivity(task);
      const waiting = await until(c, ({ attempt }) => attempt === 2);
      await c.rpc.unpauseActivity({ ...which(c), type: 'act' });
      const next = await raw.pollActivity();
      await end(raw, next);
      return { heartbeat, running, waiting, attempt: next.attempt, details: next.heartbeatDetails };
    },
  },
  {
    name: 'a running attempt hears of the reset, and the next one begins without its heartbeat',
    covers: ['C52', 'C44'],
    async run(c) {
      const raw = await scheduled(c);
      const task = await raw.pollActivity();
      await raw.heartbeat(task, 'one');
      const answer = await c.rpc.resetActivity({ ...which(c), id: 'a', resetHeartbeat: true });
      const heartbeat = await raw.heartbeat(task, 'two');
      const running = await described(c);
      await raw.failActivity(task);
      const next = await raw.pollActivity();
      await end(raw, next);
      return { answer, heartbeat, running, attempt: next.attempt, details: next.heartbeatDetails };
    },
  },
  {
    name: 'a waiting attempt is reset to the first one, unpaused unless asked otherwise',
    covers: ['C52'],
    async run(c) {
      const raw = await scheduled(c, { retryPolicy: { initialInterval: seconds(1000) } });
      await raw.failActivity(await raw.pollActivity());
      const failed = await described(c);
      await c.rpc.pauseActivity({ ...which(c), id: 'a' });
      await c.rpc.resetActivity({ ...which(c), id: 'a', keepPaused: true });
      const kept = await until(c, ({ pauseAttribute }) => pauseAttribute != null);
      await c.rpc.resetActivity({ ...which(c), id: 'a' });
      const task = await raw.pollActivity();
      await end(raw, task);
      return { failed, kept, attempt: task.attempt };
    },
  },
  {
    name: 'options of a pending activity are patched and restored',
    covers: ['C52'],
    async run(c) {
      const raw = await scheduled(c);
      const elsewhere = c.raw(c.ownQueue('elsewhere'));
      const update = (more: object) => c.rpc.updateActivityOptions({ ...which(c), id: 'a', ...more });
      const patched = await update({
        activityOptions: {
          taskQueue: { name: elsewhere.queue },
          startToCloseTimeout: seconds(7),
          retryPolicy: { maximumAttempts: 5 },
        },
        updateMask: { paths: ['task_queue.name', 'start_to_close_timeout', 'retry_policy.maximum_attempts'] },
      });
      const seen = await described(c);
      const task = await elsewhere.pollActivity();
      const restored = await update({ restoreOriginal: true });
      await end(raw, task);
      return { patched, seen, timeout: task.startToCloseTimeout, retryPolicy: task.retryPolicy, restored };
    },
  },
  {
    name: 'what is refused of an operator',
    covers: ['C52'],
    async run(c) {
      const raw = await scheduled(c);
      const options = { activityOptions: { startToCloseTimeout: seconds(0) } };
      const paths = { updateMask: { paths: ['startToCloseTimeout'] } };
      const errors = [
        await c.error(c.rpc.pauseActivity({ ...which(c) })),
        await c.error(c.rpc.pauseActivity({ ...which(c), id: 'nope' })),
        await c.error(c.rpc.unpauseActivity({ ...which(c), type: 'nope' })),
        await c.error(c.rpc.resetActivity({ ...which(c), id: 'nope' })),
        await c.error(c.rpc.updateActivityOptions({ ...which(c), id: 'a', ...options })),
        await c.error(c.rpc.updateActivityOptions({ ...which(c), id: 'a', ...paths })),
        await c.error(c.rpc.updateActivityOptions({ ...which(c), id: 'a', restoreOriginal: true, ...paths })),
        await c.error(c.rpc.updateActivityOptions({ ...which(c), id: 'a', ...options, ...paths })),
      ];
      await end(raw, await raw.pollActivity());
      return [...errors, await c.error(c.rpc.pauseActivity({ ...which(c), id: 'a' }))];
    },
  },
];

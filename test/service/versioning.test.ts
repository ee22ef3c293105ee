/** Worker deployments on a real database: who gets which task, in one process and in two. */
import { temporal } from '@temporalio/proto';
import { expect, test } from 'vitest';
import type { Service } from '../../shim/service/types';
import { freshSchema, sql } from '../support/database';
import {
  EventType,
  type PollingWorker,
  type WorkflowScript,
  closeEvent,
  completeWorkflow,
  ctx,
  eventually,
  historyOf,
  payloads,
  scheduleActivity,
  startWorkflow,
  valueOf,
} from '../support/polling-worker';
import { testService, testWorker } from '../support/service';

type Describe = temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse;
type Deployment = temporal.api.workflowservice.v1.IDescribeWorkerDeploymentResponse;

const namespace = 'default';
const deploymentName = 'billing';
const Status = temporal.api.enums.v1.WorkerDeploymentVersionStatus;

/** Asks its own version's activity at each signal, and ends with what they said at the third. */
const threeSignals: WorkflowScript = ({ history, count }) => {
  const signals = count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED);
  const scheduled = count(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED);
  const said = history
    .filter((event) => event.activityTaskCompletedEventAttributes)
    .map((event) => valueOf(event.activityTaskCompletedEventAttributes!.result));
  if (said.length === 3) return [completeWorkflow(said.join(' '))];
  return said.length === scheduled && signals > scheduled ? [scheduleActivity('say', scheduled, 'q')] : [];
};

function versionWorker(
  service: Service,
  buildId: string,
  behavior: 'PINNED' | 'AUTO_UPGRADE',
  workflows: Record<string, WorkflowScript> = { threeSignals },
): PollingWorker {
  return testWorker({
    service,
    queue: 'q',
    sticky: `sticky-${buildId}-${Math.random()}`,
    workflows,
    activities: { say: () => buildId },
    version: { deploymentName, buildId, behavior },
  });
}

const call = <R extends object>(service: Service, method: string, request: object): Promise<R> =>
  service.call(method, { namespace, ...request }, ctx()) as Promise<R>;

const registered = (service: Service, buildId: string): Promise<unknown> =>
  eventually(async () => {
    const info = await call<temporal.api.workflowservice.v1.IDescribeWorkerDeploymentVersionResponse>(
      service,
      'describeWorkerDeploymentVersion',
      { deploymentVersion: { deploymentName, buildId } },
    ).catch(() => undefined);
    return info?.versionTaskQueues?.length === 2;
  });
const setCurrent = (service: Service, buildId: string) =>
  call(service, 'setWorkerDeploymentCurrentVersion', { deploymentName, buildId, identity: 'op' });
const setRamping = (service: Service, buildId: string, percentage: number) =>
  call(service, 'setWorkerDeploymentRampingVersion', { deploymentName, buildId, percentage, identity: 'op' });
const describe = (service: Service, workflowId: string) =>
  call<Describe>(service, 'describeWorkflowExecution', { execution: { workflowId } });

let signals = 0;
const signal = (service: Service, workflowId: string) =>
  call(service, 'signalWorkflowExecution', {
    workflowExecution: { workflowId },
    signalName: 's',
    input: payloads(null),
    requestId: `signal-${++signals}`,
  });

const activitiesDone = (service: Service, workflowId: string, count: number) =>
  eventually(async () => {
    const events = await historyOf(service, workflowId);
    return events.filter((event) => event.activityTaskCompletedEventAttributes).length === count;
  });

async function resultOf(service: Service, workflowId: string): Promise<unknown> {
  const event = await closeEvent(service, workflowId);
  return valueOf(event.workflowExecutionCompletedEventAttributes?.result);
}

for (const [behavior, expected] of [
  ['PINNED', '1 1 1'],
  ['AUTO_UPGRADE', '1 2 2'],
] as const) {
  for (const processes of [1, 2]) {
    test(`${behavior} runs ${behavior === 'PINNED' ? 'stay' : 'move'} when another version becomes current, ${processes} process(es)`, async () => {
      const database = freshSchema();
      const one = await testService(database);
      const two = processes === 1 ? one : await testService(database);
      versionWorker(one, '1', behavior);
      versionWorker(two, '2', behavior);
      await registered(one, '1');
      await registered(one, '2');
      await setCurrent(one, '1');
      await startWorkflow(two, 'w', 'threeSignals', 'q');
      await signal(one, 'w');
      await activitiesDone(one, 'w', 1);
      await setCurrent(two, '2');
      await signal(one, 'w');
      await activitiesDone(one, 'w', 2);
      await signal(two, 'w');
      expect(await resultOf(one, 'w')).toBe(expected);
    });
  }
}

test('first tasks go to the ramping version by the share of their workflow ids', async () => {
  const service = await testService();
  const by =
    (buildId: string): WorkflowScript =>
    () => [completeWorkflow(buildId)];
  versionWorker(service, '1', 'PINNED', { quick: by('1') });
  versionWorker(service, '2', 'PINNED', { quick: by('2') });
  await registered(service, '1');
  await registered(service, '2');
  await setCurrent(service, '1');
  const ids = Array.from({ length: 40 }, (_, i) => `order-${i}`);
  const versions = async (round: number) => {
    const results = ids.map(async (id) => {
      await startWorkflow(service, `${id}`, 'quick', 'q');
      return [id, await resultOf(service, id), round] as const;
    });
    return Promise.all(results);
  };
  await setRamping(service, '2', 30);
  const first = await versions(1);
  await setRamping(service, '2', 70);
  const second = await versions(2);
  const ramped = (all: typeof first) => all.filter(([, version]) => version === '2').map(([id]) => id);
  expect(ramped(first).length).toBeGreaterThan(3);
  expect(ramped(first).length).toBeLessThan(25);
  // Whoever was on the new side stays there.
  expect(ramped(second)).toEqual(expect.arrayContaining(ramped(first)));
  expect(ramped(second).length).toBeGreaterThan(ramped(first).length);
});

test('tasks that nobody took move with the routing, pinned ones wait for their version', async () => {
  const database = freshSchema();
  const service = await testService(database);
  const first = versionWorker(service, '1', 'AUTO_UPGRADE');
  await registered(service, '1');
  await setCurrent(service, '1');
  await first.shutdown();
  await startWorkflow(service, 'follows', 'threeSignals', 'q');
  await startWorkflow(service, 'pinned', 'threeSignals', 'q', {
    versioningOverride: { pinned: { behavior: 1, version: { deploymentName, buildId: '1' } } },
  });
  for (let i = 0; i < 3; i++) await Promise.all([signal(service, 'follows'), signal(service, 'pinned')]);
  versionWorker(service, '2', 'AUTO_UPGRADE');
  await registered(service, '2');
  await call(service, 'setWorkerDeploymentCurrentVersion', {
    deploymentName,
    buildId: '2',
    ignoreMissingTaskQueues: true,
  });
  expect(await resultOf(service, 'follows')).toBe('2 2 2');
  expect((await historyOf(service, 'pinned')).at(-1)?.workflowTaskStartedEventAttributes).toBeUndefined();
  versionWorker(service, '1', 'AUTO_UPGRADE');
  expect(await resultOf(service, 'pinned')).toBe('1 1 1');
});

test('an override moves a pinned run, its activities too, and is shown', async () => {
  const service = await testService();
  versionWorker(service, '1', 'PINNED');
  versionWorker(service, '2', 'PINNED');
  await registered(service, '1');
  await registered(service, '2');
  await setCurrent(service, '1');
  await startWorkflow(service, 'w', 'threeSignals', 'q');
  await signal(service, 'w');
  await activitiesDone(service, 'w', 1);
  const override = { pinned: { behavior: 1, version: { deploymentName, buildId: '2' } } };
  await call(service, 'updateWorkflowExecutionOptions', {
    workflowExecution: { workflowId: 'w' },
    workflowExecutionOptions: { versioningOverride: override },
    updateMask: { paths: ['versioning_override'] },
  });
  const { workflowExecutionInfo: info } = await describe(service, 'w');
  expect(info?.versioningInfo).toMatchObject({
    behavior: 1,
    deploymentVersion: { buildId: '1' },
    versioningOverride: override,
  });
  expect(valueOf({ payloads: [info!.searchAttributes!.indexedFields!.TemporalWorkerDeploymentVersion!] })).toBe(
    'billing:2',
  );
  await signal(service, 'w');
  await activitiesDone(service, 'w', 2);
  await signal(service, 'w');
  expect(await resultOf(service, 'w')).toBe('1 2 2');
});

test('a version drains until its last pinned run has closed', async () => {
  const service = await testService(undefined, {}, { versionDrainage: { gracePeriodMs: 100, intervalMs: 100 } });
  versionWorker(service, '1', 'PINNED');
  versionWorker(service, '2', 'PINNED');
  await registered(service, '1');
  await registered(service, '2');
  await setCurrent(service, '1');
  await startWorkflow(service, 'w', 'threeSignals', 'q');
  await signal(service, 'w');
  await activitiesDone(service, 'w', 1);
  await setCurrent(service, '2');
  const version = async () => {
    const { workerDeploymentInfo } = await call<Deployment>(service, 'describeWorkerDeployment', { deploymentName });
    return workerDeploymentInfo!.versionSummaries!.find(({ deploymentVersion }) => deploymentVersion?.buildId === '1')!;
  };
  // Looked at, and still draining.
  await eventually(async () => {
    const { drainageInfo } = await version();
    return (
      Number(drainageInfo!.lastCheckedTime!.seconds) * 1e9 + drainageInfo!.lastCheckedTime!.nanos! >
      Number(drainageInfo!.lastChangedTime!.seconds) * 1e9 + drainageInfo!.lastChangedTime!.nanos!
    );
  });
  expect((await version()).status).toBe(Status.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING);
  await signal(service, 'w');
  await activitiesDone(service, 'w', 2);
  await signal(service, 'w');
  expect(await resultOf(service, 'w')).toBe('1 1 1');
  await eventually(async () => (await version()).status === Status.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED);
});

test('runs without versioning leave no trace of it, not a byte', async () => {
  const database = freshSchema();
  const service = await testService(database);
  const waits: WorkflowScript = () => [scheduleActivity('say', 1, 'nobody')];
  testWorker({ service, queue: 'q', workflows: { waits } });
  await startWorkflow(service, 'w', 'waits', 'q');
  const state = await eventually(async () => {
    const [run] = await sql<{ state: string }>(`SELECT state::text AS state FROM "${database.schema}".runs`);
    return run?.state.includes('"activities"') === true ? run.state : undefined;
  });
  expect(state).not.toMatch(/deployment|lastVersion|targetVersion/);
  expect((await describe(service, 'w')).workflowExecutionInfo).not.toHaveProperty('versioningInfo');
});

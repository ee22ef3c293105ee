/** Worker deployments: versions of workers, who gets which run, and how operators steer it. */
import { temporal } from '@temporalio/proto';
import { completeWorkflow, continueAsNew, startChild } from '../harness/commands';
import type { RawWorker } from '../harness/raw-worker';
import type { Context, Scenario } from '../harness/scenario';
import { echo } from '../workflows';

const { VERSIONING_BEHAVIOR_PINNED: PINNED, VERSIONING_BEHAVIOR_AUTO_UPGRADE: AUTO_UPGRADE } =
  temporal.api.enums.v1.VersioningBehavior;

/** Without the characters that a deployment's name may not have. */
const deployment = (c: Context): string => c.id('deployment').replaceAll('.', '-');

/** A worker by hand of that build; its queues are known to the deployment when it is there. */
async function versioned(c: Context, buildId: string, behavior = PINNED): Promise<RawWorker> {
  const deploymentName = deployment(c);
  const raw = c.raw(c.ownQueue(), { deploymentName, buildId, behavior });
  await Promise.all([raw.tryPoll(300), raw.tryPollActivity(300)]);
  await c.until(async () => {
    const known = await c.rpc
      .describeWorkerDeploymentVersion({ namespace: c.namespace, deploymentVersion: { deploymentName, buildId } })
      .catch(() => undefined);
    if (known?.workerDeploymentVersionInfo?.taskQueueInfos?.length === 2) return true;
    await Promise.all([raw.tryPoll(300), raw.tryPollActivity(300)]);
    return false;
  });
  return raw;
}

const setCurrent = (c: Context, buildId: string, more: object = {}) =>
  c.rpc.setWorkerDeploymentCurrentVersion({
    namespace: c.namespace,
    deploymentName: deployment(c),
    buildId,
    identity: 'operator',
    ...more,
  });
const setRamping = (c: Context, buildId: string, percentage: number, more: object = {}) =>
  c.rpc.setWorkerDeploymentRampingVersion({
    namespace: c.namespace,
    deploymentName: deployment(c),
    buildId,
    percentage,
    identity: 'operator',
    ...more,
  });

const describeDeployment = (c: Context) =>
  c.rpc.describeWorkerDeployment({ namespace: c.namespace, deploymentName: deployment(c) });
/** The queues sorted: a server keeps them in a map. */
const describeVersion = async (c: Context, buildId: string) => {
  const described = await c.rpc.describeWorkerDeploymentVersion({
    namespace: c.namespace,
    deploymentVersion: { deploymentName: deployment(c), buildId },
  });
  const byType = (one: { type?: number | null }, other: { type?: number | null }) =>
    (one.type ?? 0) - (other.type ?? 0);
  described.workerDeploymentVersionInfo?.taskQueueInfos?.sort(byType);
  described.versionTaskQueues?.sort(byType);
  return described;
};

const signal = (c: Context, workflowId = c.id()) =>
  c.rpc.signalWorkflowExecution({
    namespace: c.namespace,
    workflowExecution: { workflowId },
    signalName: 's',
    identity: 'signaler',
  });

async function versioning(c: Context, workflowId = c.id()) {
  const { workflowExecutionInfo: info } = await c.rpc.describeWorkflowExecution({
    namespace: c.namespace,
    execution: { workflowId },
  });
  return {
    info: info!.versioningInfo,
    name: info!.workerDeploymentName,
    attributes: info!.searchAttributes?.indexedFields,
  };
}

const pinnedTo = (c: Context, buildId: string) => ({
  pinned: {
    behavior: temporal.api.workflow.v1.VersioningOverride.PinnedOverrideBehavior.PINNED_OVERRIDE_BEHAVIOR_PINNED,
    version: { deploymentName: deployment(c), buildId },
  },
});
const updateOptions = (c: Context, versioningOverride: object | null, paths = ['versioning_override']) =>
  c.rpc.updateWorkflowExecutionOptions({
    namespace: c.namespace,
    workflowExecution: { workflowId: c.id() },
    workflowExecutionOptions: { versioningOverride },
    updateMask: { paths },
  });

const stamp = (buildId: string) => ({ workerVersionStamp: { buildId, useVersioning: false } });

export const versions: Scenario[] = [
  {
    name: 'a deployment and its versions are there when their workers have polled',
    covers: ['C126'],
    async run(c) {
      await versioned(c, '1');
      c.observe('deployment', await describeDeployment(c));
      c.observe('version', await describeVersion(c, '1'));
      c.observe('no deployment', await c.error(setCurrent(c, '1', { deploymentName: 'none' })));
      c.observe('no version', await c.error(setCurrent(c, '2')));
      c.observe('no ramping version', await c.error(setRamping(c, '2', 10)));
      c.observe('empty name', await c.error(setCurrent(c, '1', { deploymentName: '' })));
      c.observe('bad name', await c.error(setCurrent(c, '1', { deploymentName: 'a.b' })));
      c.observe('reserved name', await c.error(setCurrent(c, '1', { deploymentName: '__a' })));
      c.observe('other deployment', await c.error(setCurrent(c, '', { version: 'other.1' })));
      c.observe('bad version text', await c.error(setCurrent(c, '', { version: 'nothing' })));
      c.observe('percentage', await c.error(setRamping(c, '1', 101)));
      const { namespace } = c;
      c.observe('unknown', await c.error(c.rpc.describeWorkerDeployment({ namespace, deploymentName: 'none' })));
      c.observe('unknown version', await c.error(describeVersion(c, 'none')));
      c.observe('no version given', await c.error(c.rpc.describeWorkerDeploymentVersion({ namespace })));
    },
  },
  {
    name: 'current and ramping versions: what is answered, and what is shown',
    covers: ['C126'],
    async run(c) {
      await versioned(c, '1');
      await versioned(c, '2');
      c.observe('current 1', await setCurrent(c, '1'));
      c.observe('current 1 again', await setCurrent(c, '1'));
      c.observe('ramping to current', await c.error(setRamping(c, '1', 10)));
      c.observe('ramping 2', await setRamping(c, '2', 25));
      c.observe('with ramp', await describeDeployment(c));
      c.observe('ramping version', await describeVersion(c, '2'));
      c.observe('ramping 2 more', await setRamping(c, '2', 50));
      c.observe('current 2', await setCurrent(c, '2'));
      c.observe('two is current', await describeDeployment(c));
      c.observe('one drains', await describeVersion(c, '1'));
      c.observe('ramping 1', await setRamping(c, '1', 5));
      c.observe('no ramp', await setRamping(c, '', 0));
      c.observe('unversioned', await setCurrent(c, ''));
      c.observe('at last', await describeDeployment(c));
    },
  },
  {
    name: 'conflict tokens and managers guard a deployment',
    covers: ['C126'],
    async run(c) {
      await versioned(c, '1');
      await versioned(c, '2');
      const { conflictToken } = await describeDeployment(c);
      await setCurrent(c, '1', { conflictToken });
      c.observe('old token', await c.error(setCurrent(c, '2', { conflictToken })));
      c.observe('old token of a ramp', await c.error(setRamping(c, '2', 5, { conflictToken })));
      const manage = (more: object) =>
        c.rpc.setWorkerDeploymentManager({
          namespace: c.namespace,
          deploymentName: deployment(c),
          identity: 'boss',
          ...more,
        });
      c.observe('no identity', await c.error(manage({ self: true, identity: '' })));
      c.observe('manager', await manage({ self: true }));
      c.observe('managed', await describeDeployment(c));
      c.observe('not the manager', await c.error(setCurrent(c, '2')));
      c.observe('the manager', await setCurrent(c, '2', { identity: 'boss' }));
      c.observe('another manager', await manage({ managerIdentity: 'other' }));
    },
  },
  {
    name: 'versions and deployments are deleted when nothing needs them',
    covers: ['C126'],
    async run(c) {
      const { namespace } = c;
      await versioned(c, '1');
      await setCurrent(c, '1');
      const deploymentVersion = { deploymentName: deployment(c), buildId: '1' };
      const remove = (more: object = {}) =>
        c.rpc.deleteWorkerDeploymentVersion({ namespace, deploymentVersion, identity: 'operator', ...more });
      c.observe('current', await c.error(remove()));
      // The server keeps the reason of an internal error to itself.
      const internal = await c.error(
        c.rpc.deleteWorkerDeployment({ namespace, deploymentName: deployment(c), identity: 'operator' }),
      );
      c.observe('deployment', (internal as Error & { code?: number }).code);
      await setCurrent(c, '');
      c.observe('draining', await c.error(remove()));
      c.observe('not there', await c.outcome(remove({ deploymentVersion: { ...deploymentVersion, buildId: '9' } })));
      c.observe('bad text', await c.error(remove({ deploymentVersion: null, version: 'x' })));
      c.observe(
        'no deployment',
        await c.error(remove({ deploymentVersion: { ...deploymentVersion, deploymentName: 'none' } })),
      );
    },
  },
  {
    name: 'metadata of a version',
    covers: ['C126'],
    async run(c) {
      await versioned(c, '1');
      const payload = (value: string) => ({
        metadata: { encoding: Buffer.from('json/plain') },
        data: Buffer.from(JSON.stringify(value)),
      });
      const update = (more: object) =>
        c.rpc.updateWorkerDeploymentVersionMetadata({
          namespace: c.namespace,
          deploymentVersion: { deploymentName: deployment(c), buildId: '1' },
          ...more,
        });
      c.observe('two', await update({ upsertEntries: { a: payload('1'), b: payload('2') } }));
      c.observe('one', await update({ upsertEntries: { b: payload('3') }, removeEntries: ['a'] }));
      c.observe('shown', (await describeVersion(c, '1')).workerDeploymentVersionInfo?.metadata);
    },
  },
  {
    name: 'a pinned run stays with its version, and its later tasks and activities',
    covers: ['C126'],
    async run(c) {
      const one = await versioned(c, '1');
      const two = await versioned(c, '2');
      await setCurrent(c, '1');
      await c.startRaw();
      c.observe('before its first task', await versioning(c));
      await one.step([one.scheduleActivity('a')]);
      c.observe('pinned', await versioning(c));
      await setCurrent(c, '2');
      await one.completeActivity(await one.pollActivity());
      await one.step();
      await signal(c);
      await one.step([completeWorkflow()]);
      await c.startRaw({ workflowId: c.id('next') });
      await two.step([completeWorkflow()]);
      c.observe('closed', await versioning(c));
    },
  },
  {
    name: 'a run that follows moves with its next workflow task',
    covers: ['C126'],
    async run(c) {
      const one = await versioned(c, '1', AUTO_UPGRADE);
      const two = await versioned(c, '2', AUTO_UPGRADE);
      await setCurrent(c, '1');
      await c.startRaw();
      await one.step();
      c.observe('on one', await versioning(c));
      await setCurrent(c, '2');
      await signal(c);
      const task = await two.poll();
      c.observe('on its way', await c.until(async () => (await versioning(c)).info?.versionTransition ?? undefined));
      await two.complete(task);
      c.observe('on two', await versioning(c));
      await signal(c);
      await two.step([completeWorkflow()]);
    },
  },
  {
    name: 'an activity of a run that follows waits until the run has moved',
    covers: ['C126'],
    async run(c) {
      const one = await versioned(c, '1', AUTO_UPGRADE);
      const two = await versioned(c, '2', AUTO_UPGRADE);
      await setCurrent(c, '1');
      await c.startRaw();
      const task = await one.poll();
      await setCurrent(c, '2');
      await one.complete(task, [one.scheduleActivity('a')]);
      const [activity] = await Promise.all([two.pollActivity(), two.step()]);
      await two.completeActivity(activity);
      await two.step([completeWorkflow()]);
      c.observe('on two', await versioning(c));
    },
  },
  {
    name: 'a run without a version gets one when its queue has a current version, and loses it again',
    covers: ['C126'],
    async run(c) {
      const plain = c.raw();
      await c.startRaw();
      await plain.step([], stamp('plain'));
      const one = await versioned(c, '1');
      await setCurrent(c, '1');
      await signal(c);
      await one.step([], { versioningBehavior: AUTO_UPGRADE, ...stamp('1') });
      c.observe('versioned', await versioning(c));
      await setCurrent(c, '');
      await signal(c);
      await plain.step([], stamp('plain'));
      c.observe('without', await versioning(c));
      await signal(c);
      await plain.step([completeWorkflow()]);
    },
  },
  {
    name: 'all runs go to a version that ramps to 100, none to one that ramps to 0',
    covers: ['C126'],
    async run(c) {
      const one = await versioned(c, '1');
      const two = await versioned(c, '2');
      await setCurrent(c, '1');
      await setRamping(c, '2', 100);
      await c.startRaw();
      await two.step([completeWorkflow()]);
      await setRamping(c, '2', 0);
      await c.startRaw({ workflowId: c.id('none') });
      await one.step([completeWorkflow()]);
    },
  },
  {
    name: 'the share of a workflow id decides about a ramp on both engines alike',
    covers: ['C126'],
    async run(c) {
      const one = await versioned(c, '1');
      const two = await versioned(c, '2');
      await setCurrent(c, '1');
      await setRamping(c, '2', 40);
      for (let i = 0; i < 12; i++) await c.startRaw({ workflowId: c.id(`share-${i}`) });
      const taken: string[][] = [[], []];
      const work = async (raw: RawWorker, ids: string[]) => {
        while (taken.flat().length < 12) {
          const task = await raw.tryPoll(1000);
          if (task === undefined) continue;
          ids.push(task.workflowExecution!.workflowId!);
          await raw.complete(task, [completeWorkflow()]);
        }
      };
      await Promise.all([work(one, taken[0]!), work(two, taken[1]!)]);
      return taken.map((ids) => ids.sort());
    },
  },
  {
    name: 'an override at the start pins a run, or lets it follow',
    covers: ['C126'],
    async run(c) {
      const one = await versioned(c, '1');
      const two = await versioned(c, '2');
      await setCurrent(c, '2');
      await c.startRaw({ versioningOverride: pinnedTo(c, '1') });
      c.observe('at the start', await versioning(c));
      await one.step();
      c.observe('pinned', await versioning(c));
      await signal(c);
      await one.step([completeWorkflow()]);
      await c.startRaw({ workflowId: c.id('follows'), versioningOverride: { autoUpgrade: true } });
      c.observe('follows at the start', await versioning(c, c.id('follows')));
      await two.step();
      c.observe('follows', await versioning(c, c.id('follows')));
      await signal(c, c.id('follows'));
      await two.step([completeWorkflow()]);
      const bad = (versioningOverride: object) =>
        c.error(c.startRaw({ workflowId: c.id('bad'), versioningOverride: versioningOverride as never }));
      c.observe('nothing', await bad({}));
      c.observe('no version', await bad({ pinned: { behavior: 1 } }));
      c.observe('no behavior', await bad({ pinned: { version: { deploymentName: 'd', buildId: '1' } } }));
      c.observe('text', await bad({ behavior: PINNED, pinnedVersion: 'd' }));
      c.observe('pinned and following', await bad({ behavior: AUTO_UPGRADE, pinnedVersion: 'd.1' }));
    },
  },
  {
    name: 'an override of a running workflow moves it, and is taken back',
    covers: ['C126'],
    async run(c) {
      const one = await versioned(c, '1');
      const two = await versioned(c, '2');
      await setCurrent(c, '1');
      await c.startRaw();
      await one.step([], one.sticky(c.ownQueue('sticky')));
      c.observe('pinned', await updateOptions(c, pinnedTo(c, '2')));
      c.observe('again', await updateOptions(c, pinnedTo(c, '2')));
      c.observe('shown', await versioning(c));
      await signal(c);
      await two.step();
      c.observe('on two', await versioning(c));
      c.observe('taken back', await updateOptions(c, null));
      c.observe('without', await versioning(c));
      c.observe('follows', await updateOptions(c, { autoUpgrade: true }));
      await signal(c);
      await one.step([completeWorkflow()]);
      c.observe('closed', await c.error(updateOptions(c, null)));
      c.observe('no mask', await c.error(updateOptions(c, null, ['nothing'])));
    },
  },
  {
    name: 'a task that waits goes to the version that an override names',
    covers: ['C126'],
    async run(c) {
      await versioned(c, '1');
      const two = await versioned(c, '2');
      await setCurrent(c, '1');
      await c.startRaw();
      await updateOptions(c, pinnedTo(c, '2'));
      await two.step([two.scheduleActivity('a')]);
      await two.completeActivity(await two.pollActivity());
      await two.step([completeWorkflow()]);
    },
  },
  {
    name: 'children and continued runs of a pinned run inherit its version',
    covers: ['C126'],
    async run(c) {
      const one = await versioned(c, '1');
      await versioned(c, '2');
      await setCurrent(c, '1');
      await c.startRaw();
      await one.step([startChild(c.id('child'), { taskQueue: { name: c.ownQueue() } })]);
      await setCurrent(c, '2');
      const tasks = [await one.poll(), await one.poll()];
      const ofChild = tasks.find((task) => task.workflowExecution?.workflowId === c.id('child'))!;
      const ofParent = tasks.find((task) => task !== ofChild)!;
      c.observe('child', await versioning(c, c.id('child')));
      await one.complete(ofParent);
      await one.complete(ofChild, [completeWorkflow()]);
      await one.step([continueAsNew({ workflowType: { name: 'raw' } })]);
      c.observe('continued', await versioning(c));
      await one.step([completeWorkflow()]);
    },
  },
  {
    name: 'children of a run that follows begin with the current version',
    covers: ['C126'],
    async run(c) {
      const one = await versioned(c, '1', AUTO_UPGRADE);
      await setCurrent(c, '1');
      await c.startRaw();
      await one.step([startChild(c.id('child'), { taskQueue: { name: c.ownQueue() } })]);
      const tasks = [await one.poll(), await one.poll()];
      const ofChild = tasks.find((task) => task.workflowExecution?.workflowId === c.id('child'))!;
      c.observe('child', await versioning(c, c.id('child')));
      await one.complete(tasks.find((task) => task !== ofChild)!);
      await one.complete(ofChild, [completeWorkflow()]);
      await one.step([completeWorkflow()]);
    },
  },
  {
    name: 'workers say their version and the default behavior of their workflows',
    covers: ['C126'],
    async run(c) {
      const version = { deploymentName: deployment(c), buildId: '1' };
      await c.worker({
        workerDeploymentOptions: { version, useWorkerVersioning: true, defaultVersioningBehavior: 'PINNED' },
      });
      await c.until(async () => (await describeVersion(c, '1').catch(() => undefined)) !== undefined);
      await setCurrent(c, '1');
      const handle = await c.start(echo, { args: [1], taskQueue: c.ownQueue() });
      const result = await handle.result();
      return { result, versioning: await versioning(c) };
    },
  },
  {
    name: 'a worker may name its deployment without versioning',
    covers: ['C126'],
    async run(c) {
      const version = { deploymentName: deployment(c), buildId: '1' };
      await c.worker({ workerDeploymentOptions: { version, useWorkerVersioning: false } });
      const handle = await c.start(echo, { args: [1], taskQueue: c.ownQueue() });
      const result = await handle.result();
      return { result, versioning: await versioning(c) };
    },
  },
];

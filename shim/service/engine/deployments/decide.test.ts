import { describe, expect, it } from 'vitest';
import { Code } from '../../errors';
import { targetVersion } from '../versioning/routing';
import {
  conflictToken,
  deleteVersion,
  drainageChecked,
  findVersion,
  newDeployment,
  registerWorker,
  setCurrent,
  setManager,
  setRamping,
} from './decide';
import { MAX_VERSIONS } from './limits';
import { KnownRouting } from './routing';
import { type DeploymentState, DrainageStatus, type Target, VersionStatus } from './types';

const nobody = (): boolean => false;
const never = (): boolean => false;

function deployment(...buildIds: string[]): DeploymentState {
  const d = newDeployment('d', 1);
  buildIds.forEach((buildId, i) => {
    for (const kind of ['workflow', 'activity'] as const)
      registerWorker(d, { buildId, taskQueue: 'q', kind }, i + 2, nobody);
  });
  return d;
}
const change = <T extends Target | undefined>(buildId: T, more: object = {}) => ({
  buildId,
  identity: 'me',
  conflictToken: null,
  ignoreMissingTaskQueues: false,
  allowNoPollers: false,
  ...more,
});
const target = (d: DeploymentState, workflowId: string) =>
  targetVersion(new KnownRouting([d]).queue('q', 'workflow'), { workflowId, taskQueue: 'q', deployment: null })
    ?.buildId ?? null;
const refusal = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('It was not refused');
};

describe('a deployment', () => {
  it('gives no version any work until one is current', () => {
    expect(target(deployment('1'), 'w')).toBeNull();
  });

  it('has one current version; the one before drains until nothing is pinned to it', () => {
    const d = deployment('1', '2');
    setCurrent(d, change('1'), 10, never);
    setCurrent(d, change('2'), 20, never);
    expect(target(d, 'w')).toBe('2');
    const one = findVersion(d, '1')!;
    expect(one).toMatchObject({ status: VersionStatus.Draining, drainage: { status: DrainageStatus.Draining } });
    drainageChecked(one, true, 30);
    expect(one).toMatchObject({ status: VersionStatus.Draining, drainage: { checkedMs: 30, changedMs: 20 } });
    drainageChecked(one, false, 40);
    expect(one).toMatchObject({ status: VersionStatus.Drained, drainage: { checkedMs: 40, changedMs: 40 } });
    setCurrent(d, change('1'), 50, never);
    expect(findVersion(d, '1')).toMatchObject({ status: VersionStatus.Current, drainage: null, firstActivatedMs: 10 });
  });

  it('whose current version is set again by the same caller stays as it is', () => {
    const d = deployment('1');
    setCurrent(d, change('1'), 10, never);
    const before = structuredClone(d);
    expect(setCurrent(d, change('1'), 20, never)).toEqual({ changed: false, previous: '1' });
    expect(d).toEqual(before);
    // By somebody else it counts, and the version does not drain for it.
    setCurrent(d, change('1', { identity: 'other' }), 30, never);
    expect(findVersion(d, '1')).toMatchObject({ status: VersionStatus.Current, drainage: null });
  });

  it('ramps by the workflow id, and to workers without versioning too', () => {
    const d = deployment('1', '2');
    setCurrent(d, change('1'), 10, never);
    setRamping(d, { ...change('2'), percentage: 100 }, 20, never);
    expect(target(d, 'w')).toBe('2');
    setRamping(d, { ...change('2'), percentage: 0 }, 30, never);
    expect(target(d, 'w')).toBe('1');
    setRamping(d, { ...change(null), percentage: 100 }, 40, never);
    expect(target(d, 'w')).toBeNull();
    expect(findVersion(d, '2')!.status).toBe(VersionStatus.Draining);
    setRamping(d, { ...change(undefined), percentage: 0 }, 50, never);
    expect(target(d, 'w')).toBe('1');
  });

  it('ends a ramp when the ramping version becomes current', () => {
    const d = deployment('1', '2');
    setCurrent(d, change('1'), 10, never);
    setRamping(d, { ...change('2'), percentage: 5 }, 20, never);
    setCurrent(d, change('2'), 30, never);
    expect(d).not.toHaveProperty('ramping');
    expect(findVersion(d, '2')).toMatchObject({ status: VersionStatus.Current, rampingSinceMs: 0, rampPercentage: 0 });
  });

  it('refuses changes with an old token, and those of others than its manager', () => {
    const d = deployment('1', '2');
    const token = conflictToken(d);
    setCurrent(d, change('1', { conflictToken: token }), 10, never);
    expect(refusal(() => setCurrent(d, change('2', { conflictToken: token }), 20, never))).toMatchObject({
      code: Code.FAILED_PRECONDITION,
      details: 'conflict token mismatch',
    });
    setManager(d, { manager: 'boss', identity: 'boss', conflictToken: conflictToken(d) });
    const before = structuredClone(d);
    expect(refusal(() => setCurrent(d, change('2'), 20, never))).toMatchObject({ code: Code.FAILED_PRECONDITION });
    expect(refusal(() => deleteVersion(d, { buildId: '2', identity: 'me', skipDrainage: true }, nobody))).toMatchObject(
      {
        code: Code.FAILED_PRECONDITION,
      },
    );
    expect(d).toEqual(before);
    setCurrent(d, change('2', { identity: 'boss' }), 20, never);
  });

  it('refuses a version that lacks a task queue which is in use', () => {
    const d = deployment('1');
    registerWorker(d, { buildId: '2', taskQueue: 'q', kind: 'workflow' }, 5, nobody);
    setCurrent(d, change('1'), 10, never);
    expect(refusal(() => setCurrent(d, change('2'), 20, () => true))).toMatchObject({ code: Code.FAILED_PRECONDITION });
    setCurrent(d, change('2', { ignoreMissingTaskQueues: true }), 20, () => true);
  });

  it('keeps versions that are routed, draining or polled from being deleted', () => {
    const d = deployment('1', '2');
    setCurrent(d, change('1'), 10, never);
    const remove = (buildId: string, skipDrainage: boolean, polled: boolean) =>
      deleteVersion(d, { buildId, identity: 'me', skipDrainage }, () => polled);
    expect(refusal(() => remove('1', true, false))).toMatchObject({ details: /current or ramping/ });
    setCurrent(d, change('2'), 20, never);
    expect(refusal(() => remove('1', false, false))).toMatchObject({ details: /draining/ });
    expect(refusal(() => remove('1', true, true))).toMatchObject({ details: /active pollers/ });
    expect(remove('1', true, false)).toBe(true);
    expect(remove('1', true, false)).toBe(false);
  });

  it('makes room for a new version by its oldest one that nothing needs', () => {
    const d = deployment(...Array.from({ length: MAX_VERSIONS }, (_, i) => `${i}`));
    setCurrent(d, change('0'), 1000, never);
    registerWorker(d, { buildId: 'new', taskQueue: 'q', kind: 'workflow' }, 2000, nobody);
    expect([findVersion(d, '0'), findVersion(d, '1')]).toMatchObject([{ buildId: '0' }, undefined]);
    expect(
      refusal(() => registerWorker(d, { buildId: 'newer', taskQueue: 'q', kind: 'workflow' }, 3000, () => true)),
    ).toMatchObject({ code: Code.RESOURCE_EXHAUSTED });
  });
});

describe('the routing of a task queue that two deployments have polled', () => {
  it('is that of the one made current last', () => {
    const a = deployment('1');
    const b = { ...deployment('1'), name: 'e' };
    setCurrent(a, change('1'), 10, never);
    setCurrent(b, change('1'), 20, never);
    expect(new KnownRouting([a, b]).queue('q', 'workflow')?.current).toEqual({ deploymentName: 'e', buildId: '1' });
    expect(new KnownRouting([b, a]).queue('q', 'workflow')?.current).toEqual({ deploymentName: 'e', buildId: '1' });
  });
});

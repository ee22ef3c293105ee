/** Changes of a worker deployment (service/worker/workerdeployment, workflow.go and version_workflow.go). Each throws before it changes anything. */
import { Code, ServiceError, failedPrecondition, notFound, resourceExhausted } from '../../errors';
import type { Payload } from '../types';
import type { QueueKind } from '../versioning/routing';
import { dottedVersion } from '../versioning/version';
import { MAX_TASK_QUEUES, MAX_VERSIONS } from './limits';
import { type DeploymentState, DrainageStatus, type Target, type VersionState, VersionStatus } from './types';

export interface RoutingChange {
  /** Undefined: nothing is to ramp. */
  buildId: Target | undefined;
  identity: string;
  conflictToken: Uint8Array | null;
  ignoreMissingTaskQueues: boolean;
  allowNoPollers: boolean;
}

/** Answers whether a task queue of the current version that the next one lacks is in use there. */
export type QueueInUse = (queue: VersionState['taskQueues'][number], version: VersionState) => boolean;

export function newDeployment(name: string, nowMs: number): DeploymentState {
  return {
    name,
    createdMs: nowMs,
    lastModifier: '',
    manager: '',
    current: null,
    currentChangedMs: 0,
    rampPercentage: 0,
    rampingChangedMs: 0,
    rampPercentageChangedMs: 0,
    revision: 0,
    versions: [],
  };
}

export const findVersion = (d: DeploymentState, buildId: Target | undefined): VersionState | undefined =>
  typeof buildId === 'string' ? d.versions.find((version) => version.buildId === buildId) : undefined;

/** Opaque to callers; another one after each change of routing or manager. */
export const conflictToken = (d: DeploymentState): Uint8Array => Buffer.from(`${d.createdMs}/${d.revision}`);

/** `name.build`, as messages and deprecated fields have it; '' when nothing ramps. */
export function textOf(d: DeploymentState, target: Target | undefined): string {
  if (target === undefined) return '';
  return dottedVersion(target === null ? null : { deploymentName: d.name, buildId: target });
}

/** A worker polls. False when that was known. `hasPollers` tells whether an old version may make room. */
export function registerWorker(
  d: DeploymentState,
  worker: { buildId: string; taskQueue: string; kind: QueueKind },
  nowMs: number,
  hasPollers: (version: VersionState) => boolean,
): boolean {
  const { taskQueue, kind } = worker;
  const known = findVersion(d, worker.buildId);
  if (known?.taskQueues.some((queue) => queue.name === taskQueue && queue.kind === kind) === true) return false;
  if (known !== undefined && new Set(known.taskQueues.map(({ name }) => name)).size >= MAX_TASK_QUEUES) {
    throw resourceExhausted(
      `cannot add task queue ${taskQueue} since maximum number of task queues (${MAX_TASK_QUEUES}) have been registered in deployment`,
    );
  }
  const version = known ?? addVersion(d, worker.buildId, nowMs, hasPollers);
  version.taskQueues.push({ name: taskQueue, kind });
  return true;
}

function addVersion(
  d: DeploymentState,
  buildId: string,
  nowMs: number,
  hasPollers: (version: VersionState) => boolean,
): VersionState {
  if (d.versions.length >= MAX_VERSIONS) {
    const oldest = [...d.versions].sort((a, b) => a.createdMs - b.createdMs);
    const goes = oldest.find((version) => !isRouted(d, version) && !isDraining(version) && !hasPollers(version));
    if (goes === undefined) {
      throw resourceExhausted(
        `cannot add version ${textOf(d, buildId)} since maximum number of versions (${MAX_VERSIONS}) have been registered in the deployment`,
      );
    }
    d.versions.splice(d.versions.indexOf(goes), 1);
  }
  const version: VersionState = {
    buildId,
    createdMs: nowMs,
    status: VersionStatus.Inactive,
    routingUpdatedMs: 0,
    currentSinceMs: 0,
    rampingSinceMs: 0,
    rampPercentage: 0,
    firstActivatedMs: 0,
    lastDeactivatedMs: 0,
    drainage: null,
    taskQueues: [],
    metadata: null,
  };
  d.versions.push(version);
  return version;
}

const isRouted = (d: DeploymentState, { buildId }: VersionState): boolean =>
  d.current === buildId || d.ramping === buildId;
const isDraining = ({ drainage }: VersionState): boolean => drainage?.status === DrainageStatus.Draining;

function checkToken(d: DeploymentState, token: Uint8Array | null): void {
  if (token === null || token.length === 0) return;
  if (Buffer.compare(token, conflictToken(d)) !== 0) throw failedPrecondition('conflict token mismatch');
}

function checkManager({ manager }: DeploymentState, identity: string): void {
  if (manager === '' || manager === identity) return;
  throw failedPrecondition(
    `ManagerIdentity '${manager}' is set and does not match user identity '${identity}'; to proceed, set your own identity as the ManagerIdentity, remove the ManagerIdentity, or wait for the other client to do so`,
  );
}

/** It gets new workflows from now on. */
function activate(
  version: VersionState,
  nowMs: number,
  how: { currentSinceMs: number; rampingSinceMs: number; rampPercentage: number },
): void {
  Object.assign(version, how);
  version.status = how.currentSinceMs > 0 ? VersionStatus.Current : VersionStatus.Ramping;
  version.routingUpdatedMs = nowMs;
  version.firstActivatedMs ||= nowMs;
  version.drainage = null;
}

/** It gets no new workflows any more, and waits for those that are pinned to it. */
function deactivate(version: VersionState | undefined, nowMs: number): void {
  if (version === undefined) return;
  Object.assign(version, { currentSinceMs: 0, rampingSinceMs: 0, rampPercentage: 0 });
  version.status = VersionStatus.Draining;
  version.routingUpdatedMs = nowMs;
  version.lastDeactivatedMs = nowMs;
  version.drainage = { status: DrainageStatus.Draining, changedMs: nowMs, checkedMs: nowMs };
}

function checkTaskQueues(
  d: DeploymentState,
  next: VersionState | undefined,
  change: RoutingChange,
  inUse: QueueInUse,
  message: string,
): void {
  const current = findVersion(d, d.current);
  if (change.ignoreMissingTaskQueues || current === undefined || next === undefined) return;
  const missing = current.taskQueues.filter(
    (queue) => !next.taskQueues.some(({ name, kind }) => name === queue.name && kind === queue.kind),
  );
  if (missing.some((queue) => inUse(queue, current))) throw failedPrecondition(message);
}

/** The version with that build id, made when the caller does without pollers. `absent` is the error when it is not there. */
function targeted(
  d: DeploymentState,
  change: RoutingChange,
  nowMs: number,
  absent: () => ServiceError,
): VersionState | undefined {
  const { buildId, allowNoPollers } = change;
  if (typeof buildId !== 'string') return undefined;
  const known = findVersion(d, buildId);
  if (known !== undefined) return known;
  if (!allowNoPollers) throw absent();
  return addVersion(d, buildId, nowMs, () => true);
}

/** `changed` false: it was so already. The one before. */
export function setCurrent(
  d: DeploymentState,
  change: RoutingChange & { buildId: Target },
  nowMs: number,
  inUse: QueueInUse,
): { changed: boolean; previous: Target } {
  if (d.current === change.buildId && d.lastModifier === change.identity)
    return { changed: false, previous: d.current };
  checkToken(d, change.conflictToken);
  if (!isKnown(d, change)) throw notInDeployment();
  checkManager(d, change.identity);
  const next = targeted(d, change, nowMs, notInDeployment);
  checkTaskQueues(
    d,
    next,
    change,
    inUse,
    'proposed current version is missing active task queues from the current version; these would become unversioned if it is set as the current version',
  );
  const previous = d.current;
  if (next !== undefined) activate(next, nowMs, { currentSinceMs: nowMs, rampingSinceMs: 0, rampPercentage: 0 });
  if (previous !== change.buildId) deactivate(findVersion(d, previous), nowMs);
  d.current = change.buildId;
  d.currentChangedMs = nowMs;
  if (d.ramping !== undefined && d.ramping === d.current) {
    delete d.ramping;
    d.rampPercentage = 0;
    d.rampingChangedMs = d.rampPercentageChangedMs = nowMs;
  }
  d.lastModifier = change.identity;
  d.revision += 1;
  return { changed: true, previous };
}

const isKnown = (d: DeploymentState, { buildId, allowNoPollers }: RoutingChange): boolean =>
  typeof buildId !== 'string' || allowNoPollers || findVersion(d, buildId) !== undefined;

const notInDeployment = (): ServiceError => notFound('Version not found in deployment');

export function setRamping(
  d: DeploymentState,
  change: RoutingChange & { percentage: number },
  nowMs: number,
  inUse: QueueInUse,
): { changed: boolean; previous: Target | undefined; previousPercentage: number } {
  const { ramping: previous, rampPercentage: previousPercentage } = d;
  const { buildId, percentage, identity } = change;
  if (buildId === previous && percentage === previousPercentage && identity === d.lastModifier) {
    return { changed: false, previous, previousPercentage };
  }
  checkToken(d, change.conflictToken);
  if (buildId === d.current && !(buildId === null && percentage === 0)) {
    throw failedPrecondition(`requested ramping version ${textOf(d, buildId)} is already current`);
  }
  if (!isKnown(d, change)) throw notInDeployment();
  checkManager(d, identity);
  const next = targeted(d, change, nowMs, notInDeployment);
  const begins = buildId !== previous;
  if (begins) {
    checkTaskQueues(
      d,
      next,
      change,
      inUse,
      'proposed ramping version is missing active task queues from the current version; these would become unversioned if it is set as the ramping version',
    );
    deactivate(findVersion(d, previous), nowMs);
    d.rampingChangedMs = nowMs;
  }
  if (next !== undefined) {
    activate(next, nowMs, { currentSinceMs: 0, rampingSinceMs: d.rampingChangedMs, rampPercentage: percentage });
  }
  if (buildId === undefined) delete d.ramping;
  else d.ramping = buildId;
  d.rampPercentage = percentage;
  d.rampPercentageChangedMs = nowMs;
  d.lastModifier = identity;
  d.revision += 1;
  return { changed: true, previous, previousPercentage };
}

export function setManager(
  d: DeploymentState,
  change: { manager: string; identity: string; conflictToken: Uint8Array | null },
): { changed: boolean; previous: string } {
  const previous = d.manager;
  if (previous === change.manager && d.lastModifier === change.identity) return { changed: false, previous };
  checkToken(d, change.conflictToken);
  d.manager = change.manager;
  d.lastModifier = change.identity;
  d.revision += 1;
  return { changed: true, previous };
}

/** False when it is not there: nothing is to be done. */
export function deleteVersion(
  d: DeploymentState,
  request: { buildId: string; identity: string; skipDrainage: boolean },
  hasPollers: (version: VersionState) => boolean,
): boolean {
  const version = findVersion(d, request.buildId);
  if (version === undefined) return false;
  if (isRouted(d, version)) throw failedPrecondition('Version cannot be deleted since it is current or ramping.');
  checkManager(d, request.identity);
  if (!request.skipDrainage && isDraining(version)) {
    throw failedPrecondition('Version cannot be deleted since it is draining.');
  }
  if (hasPollers(version)) throw failedPrecondition('Version cannot be deleted since it has active pollers.');
  d.versions.splice(d.versions.indexOf(version), 1);
  d.lastModifier = request.identity;
  return true;
}

/** INTERNAL when versions are left, as on Temporal. */
export function checkDeletable(d: DeploymentState): void {
  if (d.versions.length === 0) return;
  throw new ServiceError(Code.INTERNAL, "deployment has versions, can't be deleted");
}

export function updateMetadata(
  version: VersionState,
  upsert: Record<string, Payload> | null,
  remove: readonly string[],
): void {
  const entries = { ...version.metadata, ...upsert };
  for (const key of remove) delete entries[key];
  version.metadata = entries;
}

/** What a look at the runs pinned to a draining version gave. False when it does not drain (any more). */
export function drainageChecked(version: VersionState, pinnedRuns: boolean, nowMs: number): boolean {
  const { drainage } = version;
  if (drainage?.status !== DrainageStatus.Draining) return false;
  drainage.checkedMs = nowMs;
  if (pinnedRuns) return true;
  drainage.status = DrainageStatus.Drained;
  drainage.changedMs = nowMs;
  version.status = VersionStatus.Drained;
  return true;
}

/** The RPCs on worker deployments. Checks are in the order of Temporal's frontend, so that the same request gets the same error. */
import type { temporal } from '@temporalio/proto';
import {
  type QueueInUse,
  checkDeletable,
  conflictToken,
  deleteVersion,
  findVersion,
  setCurrent,
  setManager,
  setRamping,
  textOf,
  updateMetadata,
} from '../engine/deployments/decide';
import { checkBuildId, checkDeploymentName, parsedVersion } from '../engine/deployments/names';
import { deploymentInfo, deploymentSummary, versionInfo, wireTarget } from '../engine/deployments/shown';
import type { DeploymentState, Target } from '../engine/deployments/types';
import { type DeploymentVersion, UNVERSIONED, dottedVersion, versionOf } from '../engine/versioning/version';
import { failedPrecondition, invalidArgument, notFound } from '../errors';
import { decodeToken, encodeToken } from '../page-token';
import type { Rpc, ServiceParts } from '../types';
import type { Deployments } from './deployments';
import { queueInUse, versionTaskQueues } from './task-queues';

type Ws = typeof temporal.api.workflowservice.v1;
type Requests = {
  [K in keyof Ws]: Ws[K] extends { create(properties?: infer P): unknown } ? NonNullable<P> : never;
};
type Responses = {
  [K in keyof Ws]: Ws[K] extends { create(...args: never): infer R } ? Partial<R> : never;
};

const MAX_PAGE_SIZE = 1000;

interface NamedVersion {
  version?: string | null;
  deploymentVersion?: temporal.api.deployment.v1.IWorkerDeploymentVersion | null;
}

const badText = (text: string) => (): string =>
  `invalid version string "${text}", expected format is "<deployment_name>.<build_id>"`;

const deploymentUnknown = (name: string): Error =>
  failedPrecondition(`no Worker Deployment found with name ${name}; does your Worker Deployment have pollers?`);
const versionUnknown = (): Error => notFound('Worker Deployment Version not found');
/** What a deployment is on Temporal. */
const workflowOf = (deploymentName: string): string => `temporal-sys-worker-deployment:${deploymentName}`;

export function deploymentRpcs(parts: ServiceParts, deployments: Deployments) {
  const { limits } = parts;

  /** Of a request that sets a version: its build id, from either of the two ways to name it. */
  const targetOf = (deploymentName: string, text: string | null | undefined, buildId: string): Target => {
    const named = text || dottedVersion(buildId === '' ? null : { deploymentName, buildId });
    const version = parsedVersion(named, (why) => `invalid version string: ${why}`);
    if (version !== null && version.deploymentName !== deploymentName) {
      throw invalidArgument(`invalid version string '${named}' does not match deployment name '${deploymentName}'`);
    }
    return version === null ? null : version.buildId;
  };

  /** The version that a request means, or null when it means workers without one. */
  const named = ({ version: text, deploymentVersion }: NamedVersion, message = badText): DeploymentVersion | null =>
    deploymentVersion ? versionOf(deploymentVersion) : parsedVersion(text ?? '', message(text ?? ''));

  /** Changes who gets work, and waits until all processes go by it. */
  const steer = async <C extends { allowNoPollers: boolean }, V extends { previous: Target | undefined }>(
    namespaceId: number,
    name: string,
    change: C,
    decide: (state: DeploymentState, change: C, nowMs: number, inUse: QueueInUse) => V,
  ) => {
    const inUse = await queueInUse(parts, deployments, namespaceId, name);
    const done = await deployments.change(
      namespaceId,
      name,
      (state, { nowMs }) => decide(state, change, nowMs, inUse),
      { absent: change.allowNoPollers ? 'create' : undefined, everywhere: true },
    );
    if (done === undefined) throw deploymentUnknown(name);
    const { state, value } = done;
    const answer = {
      conflictToken: conflictToken(state),
      previousVersion: textOf(state, value.previous),
      previousDeploymentVersion: wireTarget(state, value.previous) as never,
    };
    return { answer, value };
  };

  const describeWorkerDeployment: Rpc<
    Requests['DescribeWorkerDeploymentRequest'],
    Responses['DescribeWorkerDeploymentResponse']
  > = async (request) => {
    const { id } = await parts.namespace(request.namespace);
    const name = request.deploymentName ?? '';
    checkDeploymentName(name, limits);
    const state = await deployments.load(id, name);
    if (state === null) throw notFound('Worker Deployment not found');
    return { workerDeploymentInfo: deploymentInfo(state) as never, conflictToken: conflictToken(state) };
  };

  const listWorkerDeployments: Rpc<
    Requests['ListWorkerDeploymentsRequest'],
    Responses['ListWorkerDeploymentsResponse']
  > = async (request) => {
    const { id } = await parts.namespace(request.namespace);
    const all = await deployments.list(id);
    const after = decodeToken<{ after: string }>(request.nextPageToken, ({ after }) => typeof after === 'string');
    const rest = after === undefined ? all : all.slice(all.findIndex(({ name }) => name === after.after) + 1);
    const size = request.pageSize && request.pageSize > 0 ? Math.min(request.pageSize, MAX_PAGE_SIZE) : MAX_PAGE_SIZE;
    const page = rest.slice(0, size);
    return {
      workerDeployments: page.map(deploymentSummary) as never,
      ...(rest.length > page.length ? { nextPageToken: encodeToken({ after: page.at(-1)!.name }) } : {}),
    };
  };

  const describeWorkerDeploymentVersion: Rpc<
    Requests['DescribeWorkerDeploymentVersionRequest'],
    Responses['DescribeWorkerDeploymentVersionResponse']
  > = async (request) => {
    const { id } = await parts.namespace(request.namespace);
    if (!request.version && !request.deploymentVersion) throw invalidArgument('deployment version cannot be empty');
    const version = request.version ? named({ version: request.version }) : versionOf(request.deploymentVersion);
    checkDeploymentName(version?.deploymentName ?? '', limits);
    checkBuildId(version?.buildId ?? '', limits);
    const state = await deployments.load(id, version?.deploymentName ?? '');
    const found = state === null ? undefined : findVersion(state, version?.buildId);
    if (state === null || found === undefined) throw versionUnknown();
    return {
      workerDeploymentVersionInfo: versionInfo(state, found) as never,
      versionTaskQueues: (await versionTaskQueues(
        parts,
        id,
        state,
        found,
        request.reportTaskQueueStats === true,
      )) as never,
    };
  };

  const setWorkerDeploymentCurrentVersion: Rpc<
    Requests['SetWorkerDeploymentCurrentVersionRequest'],
    Responses['SetWorkerDeploymentCurrentVersionResponse']
  > = async (request) => {
    const { id } = await parts.namespace(request.namespace);
    const name = request.deploymentName ?? '';
    if (name === '') throw invalidArgument('deployment name cannot be empty');
    const buildId = targetOf(name, request.version, request.buildId ?? '');
    checkDeploymentName(name, limits);
    const change = routingChange(request, buildId);
    return (await steer(id, name, change, setCurrent)).answer;
  };

  const setWorkerDeploymentRampingVersion: Rpc<
    Requests['SetWorkerDeploymentRampingVersionRequest'],
    Responses['SetWorkerDeploymentRampingVersionResponse']
  > = async (request) => {
    const { id } = await parts.namespace(request.namespace);
    const name = request.deploymentName ?? '';
    const percentage = request.percentage ?? 0;
    // Without a build id: workers without versioning ramp, or nothing does any more.
    const ends = !request.version && !request.buildId && !(percentage > 0);
    if (!(percentage >= 0 && percentage <= 100)) {
      throw invalidArgument('Percentage must be between 0 and 100 (inclusive)');
    }
    const buildId = ends ? undefined : targetOf(name, request.version, request.buildId ?? '');
    checkDeploymentName(name, limits);
    const change = { ...routingChange(request, buildId), percentage };
    const { answer, value } = await steer(id, name, change, setRamping);
    return { ...answer, previousPercentage: value.previousPercentage };
  };

  const setWorkerDeploymentManager: Rpc<
    Requests['SetWorkerDeploymentManagerRequest'],
    Responses['SetWorkerDeploymentManagerResponse']
  > = async (request) => {
    const identity = request.identity ?? '';
    if (identity === '') throw invalidArgument('Identity is required');
    const { id } = await parts.namespace(request.namespace);
    const name = request.deploymentName ?? '';
    checkDeploymentName(name, limits);
    const manager = request.self ? identity : (request.managerIdentity ?? '');
    const change = { manager, identity, conflictToken: request.conflictToken ?? null };
    const done = await deployments.change(id, name, (state) => setManager(state, change));
    if (done === undefined) throw notFound(`workflow not found for ID: ${workflowOf(name)}`);
    return { conflictToken: conflictToken(done.state), previousManagerIdentity: done.value.previous };
  };

  const deleteWorkerDeploymentVersion: Rpc<Requests['DeleteWorkerDeploymentVersionRequest'], object> = async (
    request,
  ) => {
    const { id } = await parts.namespace(request.namespace);
    const version = named(request);
    const name = version?.deploymentName ?? '';
    checkDeploymentName(name, limits);
    const wanted = {
      buildId: version?.buildId ?? UNVERSIONED,
      identity: request.identity ?? '',
      skipDrainage: request.skipDrainage === true,
    };
    const done = await deployments.change(id, name, (state, { hasPollers }) =>
      deleteVersion(state, wanted, hasPollers),
    );
    if (done === undefined) throw notFound(`workflow not found for ID: ${workflowOf(name)}`);
    return {};
  };

  const deleteWorkerDeployment: Rpc<Requests['DeleteWorkerDeploymentRequest'], object> = async (request) => {
    const { id } = await parts.namespace(request.namespace);
    const name = request.deploymentName ?? '';
    checkDeploymentName(name, limits);
    await deployments.remove(id, name, checkDeletable);
    return {};
  };

  const updateWorkerDeploymentVersionMetadata: Rpc<
    Requests['UpdateWorkerDeploymentVersionMetadataRequest'],
    Responses['UpdateWorkerDeploymentVersionMetadataResponse']
  > = async (request) => {
    const upsert = request.upsertEntries ?? null;
    const remove = request.removeEntries ?? [];
    if (remove.length === 0 && Object.keys(upsert ?? {}).length === 0) {
      throw invalidArgument('At least one of remove_entries or upsert_entries must be provided');
    }
    const { id } = await parts.namespace(request.namespace);
    const version = named(request, () => (why?: string) => `invalid version string: ${why ?? ''}`);
    const done = await deployments.change(id, version?.deploymentName ?? '', (state) => {
      const found = findVersion(state, version?.buildId);
      if (found !== undefined) updateMetadata(found, upsert, remove);
      return found ?? false;
    });
    if (done === undefined || done.value === false) throw versionUnknown();
    return { metadata: { entries: done.value.metadata ?? {} } as never };
  };

  return {
    describeWorkerDeployment,
    listWorkerDeployments,
    describeWorkerDeploymentVersion,
    setWorkerDeploymentCurrentVersion,
    setWorkerDeploymentRampingVersion,
    setWorkerDeploymentManager,
    deleteWorkerDeploymentVersion,
    deleteWorkerDeployment,
    updateWorkerDeploymentVersionMetadata,
  };
}

function routingChange<T extends Target | undefined>(
  request: {
    identity?: string | null;
    conflictToken?: Uint8Array | string | null;
    ignoreMissingTaskQueues?: boolean | null;
    allowNoPollers?: boolean | null;
  },
  buildId: T,
) {
  return {
    buildId,
    identity: request.identity ?? '',
    conflictToken: (request.conflictToken as Uint8Array | null | undefined) ?? null,
    ignoreMissingTaskQueues: request.ignoreMissingTaskQueues === true,
    allowNoPollers: request.allowNoPollers === true,
  };
}

/** GetSystemInfo and GetClusterInfo: what this server says it is. */
import type { temporal } from '@temporalio/proto';
import type { Rpc } from './types';

/** The Temporal server whose behaviour this service follows; clients compare it. */
export const SERVER_VERSION = '1.32.0';

/**
 * Every capability that SDKs depend on is true: sdkMetadata decides on determinism flags, buildIdBasedVersioning on whether workers tell their
 * build id at all. Not there: Nexus.
 */
export const getSystemInfo: Rpc<
  temporal.api.workflowservice.v1.IGetSystemInfoRequest,
  temporal.api.workflowservice.v1.IGetSystemInfoResponse
> = () =>
  Promise.resolve({
    serverVersion: SERVER_VERSION,
    capabilities: {
      signalAndQueryHeader: true,
      internalErrorDifferentiation: true,
      activityFailureIncludeHeartbeat: true,
      supportsSchedules: true,
      encodedFailureAttributes: true,
      upsertMemo: true,
      eagerWorkflowStart: true,
      sdkMetadata: true,
      buildIdBasedVersioning: true,
      countGroupByExecutionStatus: true,
      nexus: false,
    },
  });

export const getClusterInfo: Rpc<
  temporal.api.workflowservice.v1.IGetClusterInfoRequest,
  temporal.api.workflowservice.v1.IGetClusterInfoResponse
> = () =>
  Promise.resolve({
    serverVersion: SERVER_VERSION,
    clusterId: 'branchline',
    clusterName: 'active',
    historyShardCount: 1,
    persistenceStore: 'postgres',
    visibilityStore: 'postgres',
    versionInfo: { current: { version: SERVER_VERSION } },
  });

/** RPCs that this service does not do, each with the sentence that the caller gets (UNIMPLEMENTED, or PERMISSION_DENIED as on Temporal). */
import { Code, ServiceError } from './errors';
import type { Rpc } from './types';

const NEXUS = 'Branchline has no Nexus endpoints: call the other workflow as a child or through an activity.';
const STANDALONE = 'Branchline has no standalone activities: start them from a workflow.';
export const BUILD_ID_RULES =
  'Worker versioning by build-id sets and rules is deprecated in Temporal and not supported by Branchline: use worker deployments.';
const DEPLOYMENTS = 'This is the older API of worker deployments: use the RPCs with WorkerDeployment in their names.';
const CREATED_BY_POLLS =
  'Branchline makes a worker deployment, and each version of it, when its workers poll for the first time.';
const COMPUTE = 'Branchline starts no workers: run them yourself.';
const RULES = 'Branchline has no workflow rules.';
const ARCHIVAL = 'Branchline has no archival: closed workflows stay in the database until their retention ends.';
const CLUSTERS = 'Branchline is one Postgres database: there are no other clusters.';
const WORKERS = 'Branchline does not change the settings of workers: set them where the worker is made.';

const OPERATORS = 'This version of Branchline does not offer this operator command yet.';

const SENTENCES: Record<string, string> = {
  pauseWorkflowExecution: OPERATORS,
  unpauseWorkflowExecution: OPERATORS,
  deleteNamespace: OPERATORS,
  deprecateNamespace: 'DeprecateNamespace is deprecated in Temporal: use UpdateNamespace with a state.',
  listArchivedWorkflowExecutions: ARCHIVAL,
  respondNexusTaskCompleted: NEXUS,
  respondNexusTaskFailed: NEXUS,
  createNexusEndpoint: NEXUS,
  updateNexusEndpoint: NEXUS,
  deleteNexusEndpoint: NEXUS,
  getNexusEndpoint: NEXUS,
  startNexusOperationExecution: NEXUS,
  describeNexusOperationExecution: NEXUS,
  pollNexusOperationExecution: NEXUS,
  listNexusOperationExecutions: NEXUS,
  countNexusOperationExecutions: NEXUS,
  requestCancelNexusOperationExecution: NEXUS,
  terminateNexusOperationExecution: NEXUS,
  deleteNexusOperationExecution: NEXUS,
  startActivityExecution: STANDALONE,
  describeActivityExecution: STANDALONE,
  pollActivityExecution: STANDALONE,
  listActivityExecutions: STANDALONE,
  countActivityExecutions: STANDALONE,
  requestCancelActivityExecution: STANDALONE,
  terminateActivityExecution: STANDALONE,
  deleteActivityExecution: STANDALONE,
  pauseActivityExecution: STANDALONE,
  unpauseActivityExecution: STANDALONE,
  resetActivityExecution: STANDALONE,
  updateActivityExecutionOptions: STANDALONE,
  pollWorkflowExecutionTimeSkipping: 'Time is skipped in a test environment: see branchline/testing.',
  getDeploymentReachability: DEPLOYMENTS,
  getCurrentDeployment: DEPLOYMENTS,
  setCurrentDeployment: DEPLOYMENTS,
  describeDeployment: DEPLOYMENTS,
  listDeployments: DEPLOYMENTS,
  createWorkerDeployment: CREATED_BY_POLLS,
  createWorkerDeploymentVersion: CREATED_BY_POLLS,
  updateWorkerDeploymentVersionComputeConfig: COMPUTE,
  validateWorkerDeploymentVersionComputeConfig: COMPUTE,
  createWorkflowRule: RULES,
  describeWorkflowRule: RULES,
  deleteWorkflowRule: RULES,
  listWorkflowRules: RULES,
  triggerWorkflowRule: RULES,
  fetchWorkerConfig: WORKERS,
  updateWorkerConfig: WORKERS,
  addOrUpdateRemoteCluster: CLUSTERS,
  removeRemoteCluster: CLUSTERS,
  listClusters: CLUSTERS,
};

/** Refused by Temporal's server too, with this code, where they are switched off. */
const DENIED = [
  'updateWorkerBuildIdCompatibility',
  'getWorkerBuildIdCompatibility',
  'updateWorkerVersioningRules',
  'getWorkerVersioningRules',
  'getWorkerTaskReachability',
];

const refuse =
  (code: Code, sentence: string): Rpc<never, object> =>
  () =>
    Promise.reject(new ServiceError(code, sentence));

export const refusedRpcs: Record<string, Rpc<never, object>> = {
  ...Object.fromEntries(Object.entries(SENTENCES).map(([name, text]) => [name, refuse(Code.UNIMPLEMENTED, text)])),
  ...Object.fromEntries(DENIED.map((name) => [name, refuse(Code.PERMISSION_DENIED, BUILD_ID_RULES)])),
};

/** For the list of what is supported: name → code and sentence. */
export const refusals: Record<string, { code: Code; sentence: string }> = {
  ...Object.fromEntries(
    Object.entries(SENTENCES).map(([name, sentence]) => [name, { code: Code.UNIMPLEMENTED, sentence }]),
  ),
  ...Object.fromEntries(DENIED.map((name) => [name, { code: Code.PERMISSION_DENIED, sentence: BUILD_ID_RULES }])),
};

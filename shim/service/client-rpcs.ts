/** The RPCs that clients call, by their lower-camel names. Those of workers and of schedules are elsewhere. */
import { requestCancelWorkflowExecution } from './cancel';
import type { Deployments } from './deployments/deployments';
import { describeWorkflowExecution } from './describe';
import { getWorkflowExecutionHistory, getWorkflowExecutionHistoryReverse } from './history';
import { executeMultiOperation } from './multi-operation';
import { describeNamespace, listNamespaces, registerNamespace, updateNamespace } from './namespaces';
import { queryWorkflow } from './queries';
import { refusedRpcs } from './refused-rpcs';
import {
  addSearchAttributes,
  getSearchAttributes,
  listSearchAttributes,
  removeSearchAttributes,
} from './search-attributes';
import { Resetter, resetWorkflowExecution } from './reset';
import { signalWorkflowExecution } from './signal';
import { Starter, signalWithStartWorkflowExecution, startWorkflowExecution } from './start';
import { getClusterInfo, getSystemInfo } from './system-info';
import { CurrentRuns } from './target';
import { taskQueueLimitRpcs } from './task-queue-limits';
import { describeTaskQueue, listTaskQueuePartitions } from './task-queues';
import { Deleter, deleteWorkflowExecution, terminateWorkflowExecution } from './terminate';
import type { Rpc, ServiceParts } from './types';
import { Updater, pollWorkflowExecutionUpdate, updateWorkflowExecution } from './updates';
import {
  countWorkflowExecutions,
  listClosedWorkflowExecutions,
  listOpenWorkflowExecutions,
  listWorkflowExecutions,
} from './visibility/rpcs';

export type RpcTable = Record<string, Rpc<never, object>>;

export function clientRpcs(parts: ServiceParts, deployments: Deployments): RpcTable {
  const current = new CurrentRuns(parts);
  const starter = new Starter(parts, current);
  const updater = new Updater(parts, current);
  return {
    ...refusedRpcs,
    startWorkflowExecution: startWorkflowExecution(parts, starter),
    signalWorkflowExecution: signalWorkflowExecution(parts, current),
    signalWithStartWorkflowExecution: signalWithStartWorkflowExecution(parts, starter, current),
    requestCancelWorkflowExecution: requestCancelWorkflowExecution(parts, current),
    terminateWorkflowExecution: terminateWorkflowExecution(parts, current),
    deleteWorkflowExecution: deleteWorkflowExecution(parts, new Deleter(parts, current)),
    resetWorkflowExecution: resetWorkflowExecution(parts, new Resetter(parts, current)),
    describeWorkflowExecution: describeWorkflowExecution(parts, current),
    getWorkflowExecutionHistory: getWorkflowExecutionHistory(parts, current),
    getWorkflowExecutionHistoryReverse: getWorkflowExecutionHistoryReverse(parts, current),
    updateWorkflowExecution: updateWorkflowExecution(parts, current, updater),
    pollWorkflowExecutionUpdate: pollWorkflowExecutionUpdate(parts, current, updater),
    executeMultiOperation: executeMultiOperation(parts, starter, updater),
    queryWorkflow: queryWorkflow(parts, current),
    listWorkflowExecutions: listWorkflowExecutions(parts),
    scanWorkflowExecutions: listWorkflowExecutions(parts),
    countWorkflowExecutions: countWorkflowExecutions(parts),
    listOpenWorkflowExecutions: listOpenWorkflowExecutions(parts),
    listClosedWorkflowExecutions: listClosedWorkflowExecutions(parts),
    registerNamespace: registerNamespace(parts),
    describeNamespace: describeNamespace(parts),
    listNamespaces: listNamespaces(parts),
    updateNamespace: updateNamespace(parts),
    getSystemInfo,
    getClusterInfo,
    getSearchAttributes,
    addSearchAttributes: addSearchAttributes(parts),
    removeSearchAttributes: removeSearchAttributes(parts),
    listSearchAttributes: listSearchAttributes(parts),
    ...taskQueueLimitRpcs(parts),
    describeTaskQueue: describeTaskQueue(parts, deployments),
    listTaskQueuePartitions: listTaskQueuePartitions(parts),
  };
}

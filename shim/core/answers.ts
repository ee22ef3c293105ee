/** The requests that answer a workflow task: completion, failure, or the answer to its one query. */
import { temporal } from '@temporalio/proto';
import type { coresdk } from '@temporalio/proto';
import type { Command, Failure, ProtocolMessage, QueryResult } from './messages';
import type {
  CoreRunOptions,
  RespondQueryTaskCompleted,
  RespondWorkflowTaskCompleted,
  RespondWorkflowTaskFailed,
} from './types';

const QueryResultType = temporal.api.enums.v1.QueryResultType;

export interface Completion {
  taskToken: Uint8Array;
  commands: Command[];
  messages: ProtocolMessage[];
  queryResults: QueryResult[];
  sdkMetadata: temporal.api.sdk.v1.IWorkflowTaskCompletedMetadata;
  forceNewTask: boolean;
  versioningBehavior: temporal.api.enums.v1.VersioningBehavior;
}

export function completionRequest(completion: Completion, options: CoreRunOptions): RespondWorkflowTaskCompleted {
  const { stickyAttributes } = options;
  const request: RespondWorkflowTaskCompleted = {
    namespace: options.namespace,
    identity: options.identity,
    taskToken: completion.taskToken,
    commands: completion.commands,
    messages: completion.messages,
    sdkMetadata: completion.sdkMetadata,
    meteringMetadata: { nonfirstLocalActivityExecutionAttempts: 0 },
    capabilities: { discardSpeculativeWorkflowTaskWithEvents: true },
    forceCreateNewWorkflowTask: completion.forceNewTask,
    // A task returned with the answer holds only new events: it is of no use to a run that is not kept.
    returnNewWorkflowTask: stickyAttributes !== undefined,
    workerVersionStamp: { buildId: options.buildId, useVersioning: false },
    versioningBehavior: completion.versioningBehavior || options.defaultVersioningBehavior,
  };
  if (options.deploymentOptions !== undefined) request.deploymentOptions = options.deploymentOptions;
  if (stickyAttributes !== undefined) request.stickyAttributes = stickyAttributes;
  if (completion.queryResults.length > 0) request.queryResults = queryResults(completion.queryResults);
  return request;
}

/** Ends the workflow with a failure, and sends nothing else of what its code asked for. */
export function workflowFailureRequest(
  taskToken: Uint8Array,
  failure: Failure | null | undefined,
  sdkMetadata: Completion['sdkMetadata'],
  options: CoreRunOptions,
): RespondWorkflowTaskCompleted {
  const command: Command = {
    commandType: temporal.api.enums.v1.CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
    failWorkflowExecutionCommandAttributes: { failure },
  };
  return completionRequest(
    {
      taskToken,
      commands: [command],
      messages: [],
      queryResults: [],
      sdkMetadata,
      forceNewTask: false,
      versioningBehavior: temporal.api.enums.v1.VersioningBehavior.VERSIONING_BEHAVIOR_UNSPECIFIED,
    },
    options,
  );
}

function queryResults(results: readonly QueryResult[]): NonNullable<RespondWorkflowTaskCompleted['queryResults']> {
  const answers: NonNullable<RespondWorkflowTaskCompleted['queryResults']> = {};
  for (const result of results) {
    const { resultType, answer, errorMessage } = queryAnswer(result);
    answers[result.queryId ?? ''] = { resultType, answer, errorMessage };
  }
  return answers;
}

interface QueryAnswer {
  resultType: temporal.api.enums.v1.QueryResultType;
  answer: temporal.api.common.v1.IPayloads | undefined;
  errorMessage: string;
}

function queryAnswer(result: QueryResult): QueryAnswer {
  const { succeeded, failed } = result;
  if (succeeded) {
    const answer = succeeded.response ? { payloads: [succeeded.response] } : undefined;
    return { resultType: QueryResultType.QUERY_RESULT_TYPE_ANSWERED, answer, errorMessage: '' };
  }
  const errorMessage = failed ? (failed.message ?? '') : 'Query response was empty';
  return { resultType: QueryResultType.QUERY_RESULT_TYPE_FAILED, answer: undefined, errorMessage };
}

export function queryRequest(
  taskToken: Uint8Array,
  result: QueryResult,
  options: CoreRunOptions,
): RespondQueryTaskCompleted {
  const { resultType, answer, errorMessage } = queryAnswer(result);
  return {
    namespace: options.namespace,
    taskToken,
    completedType: resultType,
    queryResult: answer,
    errorMessage,
  };
}

/** The answer to a query whose workflow could not be brought to the state asked about. */
export function failedQueryRequest(
  taskToken: Uint8Array,
  failure: coresdk.workflow_completion.IFailure,
  options: CoreRunOptions,
): RespondQueryTaskCompleted {
  return {
    namespace: options.namespace,
    taskToken,
    completedType: QueryResultType.QUERY_RESULT_TYPE_FAILED,
    errorMessage: failure.failure?.message ?? '',
    failure: failure.failure,
    cause: failure.forceCause,
  };
}

export function failureRequest(
  taskToken: Uint8Array,
  cause: temporal.api.enums.v1.WorkflowTaskFailedCause,
  failure: Failure | null | undefined,
  options: CoreRunOptions,
): RespondWorkflowTaskFailed {
  return {
    namespace: options.namespace,
    identity: options.identity,
    taskToken,
    cause,
    failure,
    workerVersion: { buildId: options.buildId, useVersioning: false },
    deploymentOptions: options.deploymentOptions,
  };
}

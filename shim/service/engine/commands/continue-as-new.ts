/** CONTINUE_AS_NEW_WORKFLOW_EXECUTION. */
import { fromMs, long } from '../../../common/proto-values';
import { closeRun } from '../close';
import { cappedDuration, cappedMs, durationProblem } from '../durations';
import { EventType } from '../event-fields';
import { Initiator, beginNextRun, planContinuation } from '../next-run';
import { mergeFields } from '../payload-fields';
import { validateRetryPolicy, withRetryDefaults } from '../retry';
import { validateSearchAttributes, validateSearchAttributesSize, withTypes } from '../search-attributes';
import { payloadsSize } from '../size';
import { normalizeTimeouts } from '../start';
import type { RunTransition } from '../transition';
import type { Command, HistoryEvent } from '../types';
import { inheritedByContinuation } from '../versioning/inheritance';
import { byteLength, checkBlobSize, checkMemoSize, checkedTaskQueue, extrasOf, refusing, terminating } from './checks';
import { CommandError, TaskFailedCause } from './command-error';
import type { CommandContext } from './context';
import { refuseIfUnhandled } from './workflow-close';

const COMMAND = 'ContinueAsNewWorkflowExecutionCommand';

/**
 * Type, queue and timeouts that the command leaves out are those of this run. Memo, search attributes and retry policy are only the
 * command's: the worker copies them into it.
 */
export function continueAsNew(t: RunTransition, command: Command, c: CommandContext): HistoryEvent {
  refuseIfUnhandled(c);
  const cause = TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_CONTINUE_AS_NEW_ATTRIBUTES;
  const attributes = command.continueAsNewWorkflowExecutionCommandAttributes;
  if (!attributes) throw new CommandError(cause, `${COMMAND}Attributes is not set on ${COMMAND}.`);
  const { state } = t;
  const { limits } = t.ctx;
  const workflowType = attributes.workflowType?.name || state.workflowType;
  const length = byteLength(workflowType);
  if (length > limits.idLength) {
    throw new CommandError(
      cause,
      `WorkflowType on ${COMMAND} exceeds length limit. WorkflowType=${workflowType} Length=${length} Limit=${limits.idLength}`,
    );
  }
  const which = `WorkflowType=${workflowType} TaskQueue=${attributes.taskQueue?.name || state.taskQueue}`;
  const taskQueue = checkedTaskQueue(
    cause,
    attributes.taskQueue,
    state.taskQueue,
    limits,
    (problem) => `error validating ${COMMAND} TaskQueue: ${problem}. ${which}`,
  );
  for (const name of ['workflowRunTimeout', 'workflowTaskTimeout', 'backoffStartInterval'] as const) {
    const problem = durationProblem(attributes[name]);
    if (problem === null) continue;
    const label = name.charAt(0).toUpperCase() + name.slice(1);
    throw new CommandError(cause, `Invalid ${label} on ${COMMAND}: ${problem}. ${which}`);
  }
  const retryPolicy = attributes.retryPolicy ? withRetryDefaults(attributes.retryPolicy) : null;
  if (retryPolicy) {
    refusing(
      cause,
      () => validateRetryPolicy(retryPolicy),
      (problem) => `invalid WorkflowRetryPolicy on ${COMMAND}: ${problem}. ${which}`,
    );
  }
  const searchAttributes = attributes.searchAttributes?.indexedFields;
  refusing(
    TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES,
    () => validateSearchAttributes(searchAttributes, t.ctx.searchAttributeTypes, state.namespace),
    (problem) => `invalid SearchAttributes on ${COMMAND}: ${problem}. ${which}`,
  );
  if (attributes.inheritBuildId && taskQueue.name !== state.taskQueue) {
    throw new CommandError(cause, 'ContinueAsNew with UseCompatibleVersion cannot run on different task queue.');
  }
  checkBlobSize(cause, payloadsSize(attributes.input), t.ctx, `${COMMAND}Attributes. Input`);
  checkMemoSize(cause, attributes.memo?.fields, t.ctx, `${COMMAND}Attributes. Memo`);
  terminating(cause, () => validateSearchAttributesSize(searchAttributes));

  const timeouts = normalizeTimeouts(
    {
      executionMs: state.executionTimeoutMs,
      runMs: cappedMs(attributes.workflowRunTimeout) || state.runTimeoutMs,
      taskMs: cappedMs(attributes.workflowTaskTimeout) || state.taskTimeoutMs,
    },
    limits,
  );
  const initiator = attributes.initiator || Initiator.CONTINUE_AS_NEW_INITIATOR_WORKFLOW;
  /** On the closing event and on the next Started event alike. */
  const shared = {
    workflowType: { name: workflowType },
    taskQueue: { name: taskQueue.name, kind: 1 },
    ...(attributes.input ? { input: attributes.input } : {}),
    workflowRunTimeout: fromMs(timeouts.runMs),
    workflowTaskTimeout: fromMs(timeouts.taskMs),
    ...(attributes.lastCompletionResult ? { lastCompletionResult: attributes.lastCompletionResult } : {}),
    ...(attributes.header ? { header: attributes.header } : {}),
    ...(attributes.memo ? { memo: { fields: mergeFields({}, attributes.memo.fields) } } : {}),
    ...(searchAttributes
      ? {
          searchAttributes: { indexedFields: withTypes(searchAttributes, t.ctx.searchAttributeTypes) },
        }
      : {}),
  };
  const backoff = cappedDuration(attributes.backoffStartInterval);
  const next = planContinuation(
    t,
    {
      ...shared,
      ...(attributes.failure ? { continuedFailure: attributes.failure } : {}),
      ...(retryPolicy ? { retryPolicy } : {}),
      ...(attributes.cronSchedule ? { cronSchedule: attributes.cronSchedule } : {}),
      ...(state.priority ? { priority: state.priority } : {}),
      ...inheritedByContinuation(state, t.ctx, taskQueue.name, attributes.initialVersioningBehavior),
    },
    initiator,
    cappedMs(attributes.backoffStartInterval),
  );
  const event = closeRun(
    t,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    {
      newExecutionRunId: next.runId,
      ...shared,
      workflowTaskCompletedEventId: long(c.completedEventId),
      ...(backoff ? { backoffStartInterval: backoff } : {}),
      ...(attributes.initiator ? { initiator: attributes.initiator } : {}),
      ...(attributes.failure ? { failure: attributes.failure } : {}),
      ...(attributes.inheritBuildId ? { inheritBuildId: true } : {}),
      ...(attributes.initialVersioningBehavior
        ? { initialVersioningBehavior: attributes.initialVersioningBehavior }
        : {}),
    },
    extrasOf(command),
  );
  beginNextRun(t, next);
  return event;
}

/** START_CHILD_WORKFLOW_EXECUTION. */
import { temporal } from '@temporalio/proto';
import { fromMs, int64, long } from '../../../common/proto-values';
import { validateCronSchedule } from '../cron';
import { cappedDuration, cappedMs, durationProblem } from '../durations';
import { EventType } from '../event-fields';
import { mergeFields } from '../payload-fields';
import { validateRetryPolicy, withRetryDefaults } from '../retry';
import { validateSearchAttributes, validateSearchAttributesSize, withTypes } from '../search-attributes';
import { payloadsSize } from '../size';
import { validatePriority } from '../priority';
import { normalizeTimeouts } from '../start';
import type { RunTransition } from '../transition';
import type { Command, HistoryEvent } from '../types';
import {
  byteLength,
  checkBlobSize,
  checkMemoSize,
  checkPending,
  checkedTaskQueue,
  countEntries,
  extrasOf,
  refusing,
  terminating,
} from './checks';
import { CommandError, TaskFailedCause } from './command-error';
import type { CommandContext } from './context';

const ParentClosePolicy = temporal.api.enums.v1.ParentClosePolicy;
const IdReusePolicy = temporal.api.enums.v1.WorkflowIdReusePolicy;
const COMMAND = 'StartChildWorkflowExecutionCommand';

export function startChild(t: RunTransition, command: Command, c: CommandContext): HistoryEvent {
  const cause = TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES;
  const attributes = command.startChildWorkflowExecutionCommandAttributes;
  if (!attributes) throw new CommandError(cause, `${COMMAND}Attributes is not set on ${COMMAND}.`);
  const { state } = t;
  const { limits } = t.ctx;
  const workflowId = attributes.workflowId ?? '';
  const workflowType = attributes.workflowType?.name ?? '';
  const namespace = attributes.namespace || state.namespace;
  const refuse = (message: string): never => {
    throw new CommandError(cause, message);
  };
  if (workflowId === '') {
    refuse(`Required field WorkflowId is not set on ${COMMAND}. WorkflowType=${workflowType} Namespace=${namespace}`);
  }
  if (workflowType === '') {
    refuse(`Required field WorkflowType is not set on ${COMMAND}. WorkflowId=${workflowId} Namespace=${namespace}`);
  }
  const which = `WorkflowId=${workflowId} WorkflowType=${workflowType} Namespace=${namespace}`;
  for (const [name, value] of [
    ['WorkflowId', workflowId],
    ['WorkflowType', workflowType],
  ] as const) {
    const length = byteLength(value);
    if (length > limits.idLength) {
      refuse(`${name} on ${COMMAND} exceeds length limit. ${which} Length=${length} Limit=${limits.idLength}`);
    }
  }
  for (const name of ['workflowExecutionTimeout', 'workflowRunTimeout', 'workflowTaskTimeout'] as const) {
    const problem = durationProblem(attributes[name]);
    if (problem !== null) refuse(`Invalid ${name.replace('w', 'W')} on ${COMMAND}: ${problem}. ${which}`);
  }
  const retryPolicy = attributes.retryPolicy ? withRetryDefaults(attributes.retryPolicy) : null;
  if (retryPolicy) {
    refusing(
      cause,
      () => validateRetryPolicy(retryPolicy),
      (problem) => `invalid WorkflowRetryPolicy on ${COMMAND}: ${problem}. ${which}`,
    );
  }
  const cronSchedule = attributes.cronSchedule ?? '';
  refusing(
    cause,
    () => validateCronSchedule(cronSchedule, t.ctx.nowMs),
    (problem) => `invalid CronSchedule on ${COMMAND}: ${problem}. ${which}`,
  );
  const searchAttributes = attributes.searchAttributes?.indexedFields;
  refusing(
    TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES,
    () => validateSearchAttributes(searchAttributes, t.ctx.searchAttributeTypes, namespace),
    (problem) => `invalid SearchAttributes on StartChildWorkflowCommand: ${problem}. ${which}`,
  );
  refusing(cause, () => validatePriority(attributes.priority));
  const taskQueue = checkedTaskQueue(
    cause,
    attributes.taskQueue,
    state.taskQueue,
    limits,
    (problem) => `invalid TaskQueue on ${COMMAND}: ${problem}. ${which}`,
  );
  if (attributes.inheritBuildId && taskQueue.name !== state.taskQueue) {
    refuse('StartChildWorkflowExecution with UseCompatibleVersion cannot run on different task queue.');
  }
  if (attributes.versioningOverride && Object.values(attributes.versioningOverride).some(Boolean)) {
    refuse('BRANCHLINE_UNSUPPORTED_OPTION: versioningOverride is not supported.');
  }
  checkBlobSize(cause, payloadsSize(attributes.input), t.ctx, `${COMMAND}Attributes. Input`);
  checkMemoSize(cause, attributes.memo?.fields, t.ctx, `${COMMAND}Attributes.Memo`);
  terminating(cause, () => validateSearchAttributesSize(searchAttributes));
  checkPending(
    TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_PENDING_CHILD_WORKFLOWS_LIMIT_EXCEEDED,
    countEntries(state.children),
    limits.pendingChildren,
    'pending child workflow executions',
  );
  const timeouts = normalizeTimeouts(
    {
      executionMs: cappedMs(attributes.workflowExecutionTimeout),
      runMs: cappedMs(attributes.workflowRunTimeout),
      taskMs: cappedMs(attributes.workflowTaskTimeout),
    },
    limits,
  );
  const event = t.addEvent(
    EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
    {
      namespace,
      workflowId,
      workflowType: { name: workflowType },
      taskQueue,
      ...(attributes.input ? { input: attributes.input } : {}),
      ...(attributes.workflowExecutionTimeout
        ? { workflowExecutionTimeout: cappedDuration(attributes.workflowExecutionTimeout) }
        : {}),
      workflowRunTimeout: fromMs(timeouts.runMs),
      workflowTaskTimeout: fromMs(timeouts.taskMs),
      parentClosePolicy: attributes.parentClosePolicy || ParentClosePolicy.PARENT_CLOSE_POLICY_TERMINATE,
      ...(attributes.control ? { control: attributes.control } : {}),
      workflowTaskCompletedEventId: long(c.completedEventId),
      workflowIdReusePolicy: attributes.workflowIdReusePolicy || IdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
      ...(retryPolicy ? { retryPolicy } : {}),
      ...(cronSchedule === '' ? {} : { cronSchedule }),
      ...(attributes.header ? { header: attributes.header } : {}),
      ...(attributes.memo ? { memo: { fields: mergeFields({}, attributes.memo.fields) } } : {}),
      ...(searchAttributes
        ? {
            searchAttributes: {
              indexedFields: withTypes(mergeFields({}, searchAttributes), t.ctx.searchAttributeTypes),
            },
          }
        : {}),
      ...(attributes.inheritBuildId ? { inheritBuildId: true } : {}),
      ...(attributes.priority ? { priority: attributes.priority } : {}),
    },
    extrasOf(command),
  );
  c.startedChildren.add(workflowId);
  t.effect({ type: 'startChild', initiatedEventId: int64(event.eventId) });
  return event;
}

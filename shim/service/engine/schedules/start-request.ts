/** The start of a slot's workflow. */
import { temporal } from '@temporalio/proto';
import type { Request } from '../api';
import { payloadJson } from '../payload-fields';
import { withTypes } from '../search-attributes';
import type { Payload } from '../types';
import { rfc3339 } from './times';
import type { PendingStart, ScheduleState } from './types';

import Policy = temporal.api.enums.v1.ScheduleOverlapPolicy;
import Reuse = temporal.api.enums.v1.WorkflowIdReusePolicy;

/** Search attributes that the started workflows get. */
const SCHEDULED_BY_ID = 'TemporalScheduledById';
const SCHEDULED_START_TIME = 'TemporalScheduledStartTime';

/** The schedule that a run says it was started by. */
export function schedulerOf(searchAttributes: Record<string, Payload>): string | null {
  const payload = searchAttributes[SCHEDULED_BY_ID];
  if (payload === undefined) return null;
  try {
    const value: unknown = JSON.parse(payloadJson(payload) ?? '');
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}

/** Who starts, cancels and terminates. */
export const schedulerIdentity = ({ namespace, scheduleId }: ScheduleState): string =>
  `temporal-scheduler-${namespace}-${scheduleId}`;

/**
 * The same for every try of one slot: what was started by an earlier one is found by its request id. `types`: the namespace's own search
 * attributes.
 */
export function startRequest(
  state: ScheduleState,
  start: PendingStart,
  types: Record<string, number>,
): Request<'StartWorkflowExecutionRequest'> {
  const action = state.startWorkflow ?? {};
  const { lastCompletionResult, continuedFailure } = state;
  // What was asked for as ALLOW_ALL, and the schedule's own ALLOW_ALL, run beside each other: none is another's last.
  const alone = start.tracked && start.overlapPolicy !== Policy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL;
  return {
    namespace: state.namespace,
    workflowId: start.workflowId,
    workflowType: action.workflowType,
    taskQueue: action.taskQueue,
    input: action.input,
    workflowExecutionTimeout: action.workflowExecutionTimeout,
    workflowRunTimeout: action.workflowRunTimeout,
    workflowTaskTimeout: action.workflowTaskTimeout,
    identity: schedulerIdentity(state),
    requestId: startRequestId(state, start),
    workflowIdReusePolicy: reusePolicy(state, start),
    retryPolicy: action.retryPolicy,
    memo: action.memo,
    searchAttributes: {
      indexedFields: {
        ...withTypes(action.searchAttributes?.indexedFields, types),
        [SCHEDULED_START_TIME]: json(rfc3339(start.nominalMs), 'Datetime'),
        [SCHEDULED_BY_ID]: json(state.scheduleId, 'Keyword'),
      },
    },
    header: action.header,
    ...(alone && lastCompletionResult !== null ? { lastCompletionResult } : {}),
    ...(alone && continuedFailure !== null ? { continuedFailure } : {}),
    userMetadata: action.userMetadata,
    priority: action.priority,
    versioningOverride: action.versioningOverride,
  };
}

export const startRequestId = ({ uuid }: ScheduleState, { slot }: PendingStart): string => `${uuid}/${slot}`;

/** One slot has one workflow id, so that a second workflow of it is refused; ids that are used again cannot be watched like that. */
function reusePolicy({ policies }: ScheduleState, { manual }: PendingStart): Reuse {
  return manual || policies.keepOriginalWorkflowId
    ? Reuse.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
    : Reuse.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE;
}

const json = (value: string, type: string): Payload => ({
  metadata: { encoding: Buffer.from('json/plain'), type: Buffer.from(type) },
  data: Buffer.from(JSON.stringify(value)),
});

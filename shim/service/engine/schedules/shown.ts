/** A schedule as describe and list show it. */
import { temporal } from '@temporalio/proto';
import { fromMs, long } from '../../../common/proto-values';
import { withTypes } from '../search-attributes';
import { shownSpec } from './canonical-spec';
import { futureTimes } from './times';
import type { ActionResult, RunningWorkflow, ScheduleState } from './types';

type Schedule = temporal.api.schedule.v1.ISchedule;
type Info = temporal.api.schedule.v1.IScheduleInfo;
type ListInfo = temporal.api.schedule.v1.IScheduleListInfo;

const DESCRIBED = 10;
const LISTED = 5;
/** Calendars, intervals and exclusions of a spec in a list. */
const LISTED_PER_FIELD = 10;

/** `types`: the namespace's own search attributes. */
export function shownSchedule(state: ScheduleState, types: Record<string, number>): Schedule {
  const { policies, startWorkflow } = state;
  const attributes = startWorkflow?.searchAttributes?.indexedFields;
  const searchAttributes = attributes ? { indexedFields: withTypes(attributes, types) } : undefined;
  return {
    spec: shownSpec(state.spec),
    action: startWorkflow === null ? {} : { startWorkflow: { ...startWorkflow, searchAttributes } },
    policies: {
      overlapPolicy: policies.overlapPolicy,
      catchupWindow: fromMs(policies.catchupWindowMs),
      pauseOnFailure: policies.pauseOnFailure,
      keepOriginalWorkflowId: policies.keepOriginalWorkflowId,
    },
    state: {
      notes: state.notes,
      paused: state.paused,
      limitedActions: state.limitedActions,
      remainingActions: long(state.remainingActions),
    },
  };
}

/** `running`: those of the state that are known to run still. */
export function shownInfo(state: ScheduleState, running: RunningWorkflow[], nowMs: number): Info {
  return {
    actionCount: long(state.actionCount),
    missedCatchupWindow: long(state.missedCatchupWindow),
    overlapSkipped: long(state.overlapSkipped),
    bufferDropped: long(state.bufferDropped),
    // Until it is known to be started, it waits.
    bufferSize: long(state.buffered.length + state.pending.length),
    runningWorkflows: running.map(({ workflowId, firstRunId }) => ({ workflowId, runId: firstRunId })),
    recentActions: state.recent.map(shownAction),
    futureActionTimes: futureTimes(state, nowMs, DESCRIBED).map(fromMs),
    createTime: fromMs(state.createdMs),
    ...(state.updatedMs === 0 ? {} : { updateTime: fromMs(state.updatedMs) }),
  };
}

export function shownListInfo(state: ScheduleState, nowMs: number): ListInfo {
  const spec = shownSpec(state.spec);
  return {
    spec: {
      ...spec,
      structuredCalendar: spec.structuredCalendar?.slice(0, LISTED_PER_FIELD),
      interval: spec.interval?.slice(0, LISTED_PER_FIELD),
      excludeStructuredCalendar: spec.excludeStructuredCalendar?.slice(0, LISTED_PER_FIELD),
    },
    workflowType: state.startWorkflow?.workflowType ?? null,
    notes: state.notes,
    paused: state.paused,
    recentActions: state.recent.slice(-LISTED).map(shownAction),
    futureActionTimes: futureTimes(state, nowMs, LISTED).map(fromMs),
  };
}

function shownAction({
  actionMs,
  startedMs,
  workflowId,
  firstRunId,
  status,
}: ActionResult): temporal.api.schedule.v1.IScheduleActionResult {
  return {
    scheduleTime: fromMs(actionMs),
    actualTime: fromMs(startedMs),
    startWorkflowResult: { workflowId, runId: firstRunId },
    startWorkflowStatus: status as number,
  };
}

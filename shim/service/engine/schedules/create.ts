/** A new schedule. */
import type { Payload } from '../types';
import type { ScheduleConfig, ScheduleState } from './types';

const INITIAL_CONFLICT_TOKEN = 1;

export function newSchedule(
  identity: { namespace: string; scheduleId: string; uuid: string },
  config: ScheduleConfig,
  memo: Record<string, Payload>,
  searchAttributes: Record<string, Payload>,
  nowMs: number,
): ScheduleState {
  return {
    ...identity,
    ...config,
    conflictToken: INITIAL_CONFLICT_TOKEN,
    createdMs: nowMs,
    updatedMs: 0,
    processedMs: nowMs,
    buffered: [],
    pending: [],
    backfills: [],
    backfilledMs: 0,
    running: [],
    recent: [],
    actionCount: 0,
    missedCatchupWindow: 0,
    overlapSkipped: 0,
    bufferDropped: 0,
    slotCount: 0,
    requestIds: [],
    lastCompletionResult: null,
    continuedFailure: null,
    memo,
    searchAttributes,
  };
}

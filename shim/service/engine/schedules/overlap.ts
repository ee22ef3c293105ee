/** Overlap policies: which of the waiting starts begin now (scheduler/buffer.go). */
import { temporal } from '@temporalio/proto';
import type { BufferedStart, Overlap } from './types';

import Policy = temporal.api.enums.v1.ScheduleOverlapPolicy;

export interface OverlapDecision {
  /** Of ALLOW_ALL: begin beside everything else. */
  overlapping: BufferedStart[];
  /** The one that may begin alone. */
  alone: BufferedStart | null;
  /** Go on waiting. */
  waiting: BufferedStart[];
  skipped: BufferedStart[];
  /** Gave way to a later one before they began; not counted as skipped. */
  replaced: BufferedStart[];
  /** What is to become of the running ones. */
  end: 'no' | 'cancel' | 'terminate';
}

/** `policyOf` resolves UNSPECIFIED: an update of the schedule's policy is for those that wait as well. */
export function decideOverlap(
  buffered: BufferedStart[],
  isRunning: boolean,
  policyOf: (start: BufferedStart) => Overlap,
): OverlapDecision {
  const decision: OverlapDecision = { overlapping: [], alone: null, waiting: [], skipped: [], replaced: [], end: 'no' };
  for (const start of buffered) {
    const policy = policyOf(start);
    if (policy === Policy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL) {
      decision.overlapping.push(start);
    } else if (!isRunning && decision.alone === null) {
      decision.alone = start;
    } else if (policy === Policy.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL) {
      decision.waiting.push(start);
    } else if (policy === Policy.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE && decision.waiting.length === 0) {
      decision.waiting.push(start);
    } else if (
      policy === Policy.SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER ||
      policy === Policy.SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER
    ) {
      if (isRunning) {
        if (policy === Policy.SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER) decision.end = 'terminate';
        else if (decision.end === 'no') decision.end = 'cancel';
        decision.waiting.push(start);
      } else {
        // It was only about to begin.
        if (decision.alone !== null) decision.replaced.push(decision.alone);
        decision.alone = start;
      }
    } else {
      decision.skipped.push(start);
    }
  }
  if (decision.end !== 'no') {
    // They would be cancelled at once as well.
    decision.replaced.push(...decision.overlapping);
    decision.overlapping = [];
  }
  return decision;
}

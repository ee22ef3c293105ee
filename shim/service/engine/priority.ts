/** Priority, fairness key and fairness weight of a workflow, child or activity, by the rules of Temporal 1.29 (common/priorities, matching). */
import type { temporal } from '@temporalio/proto';
import { invalidArgument } from '../errors';

export type Priority = temporal.api.common.v1.IPriority;

/** Levels of priorityKey, 1 first; and where tasks without a key stand. */
export const PRIORITY_LEVELS = 5;
const DEFAULT_LEVEL = 3;
const MIN_WEIGHT = 0.001;
/** Bytes. */
const FAIRNESS_KEY_LENGTH = 64;

/** Throws INVALID_ARGUMENT for a priority that Temporal refuses. */
export function validatePriority(priority: Priority | null | undefined): void {
  if (!priority) return;
  if ((priority.priorityKey ?? 0) < 0) throw invalidArgument("priority key can't be negative");
  validateFairnessKey(priority.fairnessKey ?? '');
  if ((priority.fairnessWeight ?? 0) < 0) throw invalidArgument('must be greater than zero');
}

export function validateFairnessKey(key: string): void {
  if (Buffer.byteLength(key) > FAIRNESS_KEY_LENGTH) throw invalidArgument('fairness key length exceeds limit');
}

/** What an activity or a child has of its own counts field by field before its workflow's. */
export function mergePriority(
  base: Priority | null | undefined,
  own: Priority | null | undefined,
): Priority | null | undefined {
  if (!own || !base) return own ?? base;
  return {
    priorityKey: own.priorityKey || base.priorityKey,
    fairnessKey: own.fairnessKey || base.fairnessKey,
    fairnessWeight: own.fairnessWeight || base.fairnessWeight,
  };
}

/** Where a task stands in its queue. */
export interface QueuePlace {
  /** 1 to 5. */
  level: number;
  fairnessKey: string;
  weight: number;
}

export const DEFAULT_PLACE: QueuePlace = Object.freeze({ level: DEFAULT_LEVEL, fairnessKey: '', weight: 1 });

export function placeOf(priority: Priority | null | undefined): QueuePlace {
  if (!priority) return DEFAULT_PLACE;
  const { priorityKey, fairnessKey, fairnessWeight } = priority;
  return {
    level: Math.min(priorityKey || DEFAULT_LEVEL, PRIORITY_LEVELS),
    fairnessKey: fairnessKey ?? '',
    weight: effectiveWeight(fairnessWeight ?? 0),
  };
}

/** 0 = not set. */
export function effectiveWeight(weight: number): number {
  return weight <= 0 ? 1 : Math.max(weight, MIN_WEIGHT);
}

/** Durations that come from outside: what the server refuses and what it caps (common/primitives/timestamp). */
import type { google } from '@temporalio/proto';
import { fromMs, int64, long, ms } from '../../common/proto-values';

type Duration = google.protobuf.IDuration;

/** 100 years of 365 days: the longest duration the server keeps. */
const MAXIMUM_MS = 100 * 365 * 24 * 3600 * 1000;

/** Why the server refuses this duration, in its words; null when it is fine. Absent counts as zero. */
export function durationProblem(duration: Duration | null | undefined): string | null {
  if (!duration) return null;
  const seconds = int64(duration.seconds);
  const nanos = duration.nanos ?? 0;
  if ((seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0))
    return 'duration has seconds and nanos with different signs';
  if (seconds < 0 || nanos < 0) return 'negative duration';
  return null;
}

/** Milliseconds, at most 100 years. */
export function cappedMs(duration: Duration | null | undefined): number {
  return Math.min(ms(duration), MAXIMUM_MS);
}

/** The same duration with plain numbers. */
export function plainDuration(duration: Duration): Duration {
  return { seconds: long(int64(duration.seconds)), nanos: duration.nanos ?? 0 };
}

/** The duration with plain numbers, at most 100 years; absent stays absent. */
export function cappedDuration(duration: Duration | null | undefined): Duration | null {
  if (!duration) return null;
  return ms(duration) > MAXIMUM_MS ? fromMs(MAXIMUM_MS) : plainDuration(duration);
}

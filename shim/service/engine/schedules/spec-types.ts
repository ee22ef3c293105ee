/** A schedule's spec as it is kept: only structured calendars and intervals, cron and calendar strings are translated when they come in. */
import type { google } from '@temporalio/proto';

/** Inclusive; `end` 0 (or below start) = start alone, `step` 0 = 1: protobuf's defaults. */
export interface Range {
  start: number;
  end: number;
  step: number;
}

/** A time matches when every field does. An empty list matches nothing, but for `year`, where it means all. */
export interface StructuredCalendar {
  second: Range[];
  minute: Range[];
  hour: Range[];
  dayOfMonth: Range[];
  /** 1 = January */
  month: Range[];
  year: Range[];
  /** 0 = Sunday */
  dayOfWeek: Range[];
  comment: string;
}

export interface Interval {
  interval: google.protobuf.IDuration;
  phase: google.protobuf.IDuration | null;
}

export interface Spec {
  structuredCalendar: StructuredCalendar[];
  interval: Interval[];
  excludeStructuredCalendar: StructuredCalendar[];
  startTime: google.protobuf.ITimestamp | null;
  endTime: google.protobuf.ITimestamp | null;
  jitter: google.protobuf.IDuration | null;
  /** IANA name; '' = UTC. */
  timezoneName: string;
}

/** Calendars know these years only. */
export const FIRST_YEAR = 2000;
export const LAST_YEAR = 2100;

/** A spec that cannot be; the message is the server's. */
export class SpecError extends Error {}

/** Reading protobuf's scalar wrappers from plain objects: int64 that may be a Long, Timestamps and Durations. */
import type { google } from '@temporalio/proto';
import type Long from 'long';

type Int64 = number | string | { toNumber(): number } | null | undefined;

/** An int64 field as a number; absent counts as 0. Our counters and ids stay far below 2^53. */
export function int64(value: Int64 | object): number {
  if (typeof value === 'number') return value;
  if (value === null || value === undefined) return 0;
  if (typeof value === 'string') return Number(value);
  const long = value as { toNumber?(): number; low?: number; high?: number };
  if (long.toNumber !== undefined) return long.toNumber();
  // A Long that lost its prototype on the way through a structured clone.
  return (long.high ?? 0) * 4294967296 + ((long.low ?? 0) >>> 0);
}

/** Milliseconds of a Duration or Timestamp (fractions kept); undefined when absent. */
export function optionalMs(
  value: google.protobuf.IDuration | google.protobuf.ITimestamp | null | undefined,
): number | undefined {
  if (value === null || value === undefined) return undefined;
  return int64(value.seconds as Int64) * 1000 + (value.nanos ?? 0) / 1e6;
}

/** Milliseconds of a Duration or Timestamp; 0 when absent (protobuf's default). */
export function ms(value: google.protobuf.IDuration | google.protobuf.ITimestamp | null | undefined): number {
  return optionalMs(value) ?? 0;
}

/** A plain number where the generated types ask for a Long: all our messages carry numbers. */
export function long(value: number): Long {
  return value as unknown as Long;
}

/** A Duration or Timestamp of that many milliseconds, with plain numbers (which the generated types call Long). */
export function fromMs(milliseconds: number): google.protobuf.IDuration & google.protobuf.ITimestamp {
  let seconds = Math.floor(milliseconds / 1000);
  let nanos = Math.round((milliseconds - seconds * 1000) * 1e6);
  if (nanos === 1e9) {
    seconds += 1;
    nanos = 0;
  }
  return { seconds: long(seconds), nanos };
}

/** The two markers the core writes: patches and local activity results. Their data is JSON, as Temporal's core writes it. */
import { int64 } from '../common/proto-values';
import { EventType, eventType } from './events';
import type { Failure, Instant, Payload, Payloads } from './messages';
import type { HistoryEvent } from './types';

export const PATCH_MARKER = 'core_patch';
export const LOCAL_ACTIVITY_MARKER = 'core_local_activity';
const PATCH_DATA = 'patch-data';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const jsonEncoding = encoder.encode('json/plain');

/** A json/plain payload of the value. */
export function jsonPayload(value: unknown): Payload {
  return { metadata: { encoding: jsonEncoding }, data: encoder.encode(JSON.stringify(value)) };
}

export interface PatchMarker {
  id: string;
  deprecated: boolean;
}

export interface LocalActivityMarkerData {
  seq: number;
  attempt: number;
  activityId: string;
  activityType: string;
  completeTime: Instant | undefined;
  backoff: Instant | undefined;
  originalScheduleTime: Instant | undefined;
}

export interface LocalActivityMarker extends LocalActivityMarkerData {
  result: Payload | undefined;
  failure: Failure | undefined;
}

export function patchMarkerDetails(marker: PatchMarker): Record<string, Payloads> {
  return { [PATCH_DATA]: { payloads: [jsonPayload({ id: marker.id, deprecated: marker.deprecated })] } };
}

/** The patch recorded by this event; undefined for any other event. */
export function patchMarkerOf(event: HistoryEvent): PatchMarker | undefined {
  const details = markerDetails(event, PATCH_MARKER);
  if (details === undefined) return undefined;
  const data = details[PATCH_DATA];
  if (data) {
    const parsed = parseJson(data) as Partial<PatchMarker> | undefined;
    return parsed?.id === undefined ? undefined : { id: parsed.id, deprecated: parsed.deprecated === true };
  }
  // Early SDK versions wrote the two values as raw bytes.
  const id = details['patch_id']?.payloads?.[0]?.data;
  const deprecated = details['deprecated']?.payloads?.[0]?.data;
  if (!id || !deprecated) return undefined;
  return { id: decoder.decode(id), deprecated: deprecated[0] !== 0 };
}

export function isLocalActivityMarker(event: HistoryEvent): boolean {
  return markerDetails(event, LOCAL_ACTIVITY_MARKER) !== undefined;
}

export function localActivityMarkerDetails(
  data: LocalActivityMarkerData,
  result: Payload | undefined,
): Record<string, Payloads> {
  const details: Record<string, Payloads> = {
    data: {
      payloads: [
        jsonPayload({
          seq: data.seq,
          attempt: data.attempt,
          activity_id: data.activityId,
          activity_type: data.activityType,
          complete_time: data.completeTime ?? null,
          backoff: data.backoff ?? null,
          original_schedule_time: data.originalScheduleTime ?? null,
        }),
      ],
    },
  };
  if (result !== undefined) details['result'] = { payloads: [result] };
  return details;
}

/** The local activity result recorded by this event; undefined when it is another event or its data cannot be read. */
export function localActivityMarkerOf(event: HistoryEvent): LocalActivityMarker | undefined {
  const details = markerDetails(event, LOCAL_ACTIVITY_MARKER);
  const data = details?.['data'] && (parseJson(details['data']) as Record<string, unknown> | undefined);
  if (!details || !data || typeof data['seq'] !== 'number') return undefined;
  const results = details['result']?.payloads;
  return {
    seq: data['seq'],
    attempt: Number(data['attempt'] ?? 0),
    activityId: String(data['activity_id'] ?? ''),
    activityType: String(data['activity_type'] ?? ''),
    completeTime: jsonInstant(data['complete_time']),
    backoff: jsonInstant(data['backoff']),
    originalScheduleTime: jsonInstant(data['original_schedule_time']),
    result: results?.[results.length - 1],
    failure: event.markerRecordedEventAttributes?.failure ?? undefined,
  };
}

function markerDetails(event: HistoryEvent, name: string): Record<string, Payloads> | undefined {
  if (eventType(event) !== EventType.EVENT_TYPE_MARKER_RECORDED) return undefined;
  const attributes = event.markerRecordedEventAttributes;
  return attributes?.markerName === name ? (attributes.details ?? {}) : undefined;
}

function parseJson(payloads: Payloads): unknown {
  const data = payloads.payloads?.[0]?.data;
  if (!data) return undefined;
  try {
    return JSON.parse(decoder.decode(data)) as unknown;
  } catch {
    return undefined;
  }
}

function jsonInstant(value: unknown): Instant | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { seconds, nanos } = value as { seconds?: number | string; nanos?: number };
  return { seconds: int64(seconds), nanos: nanos ?? 0 };
}

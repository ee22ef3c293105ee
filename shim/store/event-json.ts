/** History events as they lie in `history.events`: the JSON of `temporal workflow show --output json`, but for payloads (payload-json.ts). */
import proto from '@temporalio/proto';
import type { Root } from 'protobufjs';
import type { HistoryEvent } from '../service/engine/types';
import { parse } from './json-text';
import { compileProtoJson, type ProtoJsonCodec } from './proto-json';

let compiled: ProtoJsonCodec<HistoryEvent> | undefined;

function codec(): ProtoJsonCodec<HistoryEvent> {
  return (compiled ??= compileProtoJson<HistoryEvent>(
    (proto as unknown as Root).lookupType('temporal.api.history.v1.HistoryEvent'),
  ));
}

/** A JSON array of events. */
export function eventsToJson(events: readonly HistoryEvent[]): string {
  const { encode } = codec();
  let json = '[';
  for (let i = 0; i < events.length; i++) json += (i === 0 ? '' : ',\n') + encode(events[i] as HistoryEvent);
  return json + ']';
}

/** The inverse of `eventsToJson`: plain objects with numbers for enums and 64-bit integers, Uint8Array for bytes. */
export function eventsFromJson(json: string): HistoryEvent[] {
  const { decode } = codec();
  return (parse(json) as unknown[]).map(decode);
}

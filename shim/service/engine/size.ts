/** Sizes without encoding: close to what protobuf would write, cheap enough for every event. */
import type { Payload, Payloads } from './types';

/** Bytes of a payload: its data and metadata. */
export function payloadSize(payload: Payload): number {
  let size = payload.data?.byteLength ?? 0;
  if (payload.metadata) {
    for (const key in payload.metadata) size += key.length + (payload.metadata[key]?.byteLength ?? 0) + 4;
  }
  return size;
}

export function payloadsSize(payloads: Payloads | null | undefined): number {
  let size = 0;
  for (const payload of payloads?.payloads ?? []) size += payloadSize(payload);
  return size;
}

export function payloadMapSize(fields: Record<string, Payload> | null | undefined): number {
  let size = 0;
  for (const key in fields) size += key.length + payloadSize(fields[key] as Payload);
  return size;
}

/**
 * Bytes of a message of plain objects, about as protobuf would encode it: 2 for tag and length of each field, strings and bytes by length,
 * numbers as short varints.
 */
export function messageSize(value: unknown): number {
  if (value === null || value === undefined || value === false || value === 0 || value === '') return 0;
  if (typeof value === 'string') return value.length + 2;
  if (typeof value === 'number') return value < 128 ? 2 : value < 16384 ? 3 : 6;
  if (typeof value !== 'object') return 2;
  if (ArrayBuffer.isView(value)) return value.byteLength + 2;
  let size = 2;
  if (Array.isArray(value)) {
    for (const item of value) size += messageSize(item);
    return size;
  }
  const fields = value as Record<string, unknown>;
  // A message of protobufjs's own classes inherits its type, which is endless.
  for (const key in fields) if (Object.hasOwn(fields, key)) size += messageSize(fields[key]);
  return size;
}

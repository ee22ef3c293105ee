/** Named payloads: memo fields and search attributes. */
import type { Payload } from './types';

const text = new TextDecoder();

/** JSON text of a payload of at most that many bytes; null for other encodings and longer ones. */
export function payloadJson(payload: Payload, maximumBytes = Number.POSITIVE_INFINITY): string | null {
  const data = payload.data;
  const encoding = payload.metadata?.encoding;
  if (!data || !encoding || data.byteLength > maximumBytes) return null;
  const name = text.decode(encoding);
  return name === 'json/plain' || name === 'json/protobuf' ? text.decode(data) : null;
}

/** A value that means "take the field away": no data, `null` or `[]`. */
export function removesField(payload: Payload | null | undefined): boolean {
  if (!payload?.data || payload.data.byteLength === 0) return true;
  if (payload.data.byteLength > 4) return false;
  const data = text.decode(payload.data);
  return data === 'null' || data === '[]';
}

/** `changes` laid over `fields`, in a new map. */
export function mergeFields(
  fields: Record<string, Payload>,
  changes: Record<string, Payload> | null | undefined,
): Record<string, Payload> {
  const merged = { ...fields };
  for (const name in changes) {
    const payload = changes[name] as Payload;
    if (removesField(payload)) delete merged[name];
    else merged[name] = payload;
  }
  return merged;
}

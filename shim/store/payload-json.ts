/**
 * Payloads in stored JSON: exact and readable with plain SQL.
 *
 *   {"encoding":"json/plain","text":"{\"plan\":\"pro\"}"}              data that is UTF-8, as text
 *   {"encoding":"binary/encrypted","base64":"3q2+7w=="}                other data
 *   {"encoding":"json/plain","metadata":{"type":"Keyword"},"text":"…"} metadata beyond the encoding; {"base64":"…"} for values that are no text
 */
import { isUtf8 } from 'node:buffer';
import { int64 } from '../common/proto-values';
import type { Payload } from '../service/engine/types';
import { quote, setOwn } from './json-text';

/** A Payload as stored; the key of the encoding is the caller's. */
export interface StoredPayload {
  [encodingKey: string]: unknown;
  metadata?: Record<string, string | { base64: string }>;
  text?: string;
  base64?: string;
  externalPayloads?: { sizeBytes: string }[];
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The text that the bytes spell exactly, if they are UTF-8 without NUL (which Postgres cannot hold in text). */
export function textOf(bytes: Uint8Array): string | undefined {
  const buffer = bufferOf(bytes);
  return isUtf8(buffer) && !buffer.includes(0) ? buffer.toString('utf8') : undefined;
}

export function base64Of(bytes: Uint8Array): string {
  return bufferOf(bytes).toString('base64');
}

const encoder = new TextEncoder();

/** Bytes of their own memory (no slice of a shared pool: those are copied whole when posted to a worker thread). */
export function bytesOfText(text: string): Uint8Array {
  return encoder.encode(text);
}

export function bytesOfBase64(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

/** `"text":"…"` or `"base64":"…"`. */
export function bytesMember(bytes: Uint8Array): string {
  const text = textOf(bytes);
  return text === undefined ? '"base64":"' + base64Of(bytes) + '"' : '"text":' + quote(text);
}

/** The members of a stored payload, without braces. */
export function payloadMembers(payload: Payload, encodingKey: string): string {
  let json = '';
  let others = '';
  for (const name in payload.metadata) {
    const bytes = payload.metadata[name];
    if (bytes === undefined || bytes === null) continue;
    const text = textOf(bytes);
    if (name === 'encoding' && text !== undefined) {
      json = '"' + encodingKey + '":' + quote(text);
      continue;
    }
    if (others !== '') others += ',';
    others += quote(name) + ':' + (text === undefined ? '{"base64":"' + base64Of(bytes) + '"}' : quote(text));
  }
  if (others !== '') json += (json === '' ? '' : ',') + '"metadata":{' + others + '}';
  if (payload.data !== undefined && payload.data !== null) json += (json === '' ? '' : ',') + bytesMember(payload.data);
  if (payload.externalPayloads !== undefined && payload.externalPayloads !== null) {
    const sizes = payload.externalPayloads.map(({ sizeBytes }) => `{"sizeBytes":"${int64(sizeBytes)}"}`);
    if (sizes.length > 0) json += (json === '' ? '' : ',') + `"externalPayloads":[${sizes.join(',')}]`;
  }
  return json;
}

/** The inverse of `payloadMembers`, on parsed JSON. */
export function payloadFromMembers(stored: StoredPayload, encodingKey: string): Payload {
  const payload: Payload = {};
  const encoding = stored[encodingKey];
  const metadata: Record<string, Uint8Array> = {};
  let any = false;
  if (typeof encoding === 'string') {
    metadata.encoding = bytesOfText(encoding);
    any = true;
  }
  for (const name in stored.metadata) {
    const value = stored.metadata[name] as string | { base64: string };
    const bytes = typeof value === 'string' ? bytesOfText(value) : bytesOfBase64(value.base64);
    setOwn(metadata, name, bytes);
    any = true;
  }
  if (any) payload.metadata = metadata;
  if (stored.text !== undefined) payload.data = bytesOfText(stored.text);
  else if (stored.base64 !== undefined) payload.data = bytesOfBase64(stored.base64);
  if (stored.externalPayloads !== undefined) {
    payload.externalPayloads = stored.externalPayloads.map(({ sizeBytes }) => ({
      sizeBytes: Number(sizeBytes) as never,
    }));
  }
  return payload;
}

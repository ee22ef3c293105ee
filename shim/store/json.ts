/**
 * Plain data as JSON with bytes in it, readable with SQL: payloads as `{"$payload":"json/plain","text":"…"}`, other bytes as
 * `{"$text":"…"}` or `{"$base64":"…"}`. Own keys that begin with `$` get one more. Absent, undefined and null members of payloads are one.
 */
import type { Payload } from '../service/engine/types';
import { parse, quote, setOwn } from './json-text';
import {
  base64Of,
  bytesOfBase64,
  bytesOfText,
  payloadFromMembers,
  payloadMembers,
  type StoredPayload,
  textOf,
} from './payload-json';

type PlainObject = Record<string, unknown>;

const payloadKeys: ReadonlySet<string> = new Set<keyof Payload>(['metadata', 'data', 'externalPayloads']);

/** Encodes plain data; functions and undefined members are left out, numbers that are not finite become null. */
export function toJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return quote(value);
    case 'number':
      return value === value && value !== Infinity && value !== -Infinity ? '' + value : 'null';
    case 'boolean':
      return value ? 'true' : 'false';
    case 'bigint':
      return value.toString();
    case 'object':
      break;
    default:
      return 'null';
  }
  if (value === null) return 'null';
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    let json = '[' + toJson(value[0]);
    for (let i = 1; i < value.length; i++) json += ',' + toJson(value[i]);
    return json + ']';
  }
  if (ArrayBuffer.isView(value)) return bytesToJson(value as Uint8Array);
  const object = value as PlainObject;
  if (object.metadata !== undefined && isPayload(object)) {
    const members = payloadMembers(object as Payload, '$payload');
    return members.startsWith('"$payload"')
      ? '{' + members + '}'
      : '{"$payload":null' + (members === '' ? '' : ',') + members + '}';
  }
  let json = '{';
  for (const key in object) {
    // A message of protobufjs's own classes inherits its type.
    if (!Object.hasOwn(object, key)) continue;
    const member = object[key];
    if (member === undefined || typeof member === 'function') continue;
    if (json.length > 1) json += ',';
    json += quote(key.charCodeAt(0) === 36 ? '$' + key : key) + ':' + toJson(member);
  }
  return json + '}';
}

function bytesToJson(bytes: Uint8Array): string {
  const text = textOf(bytes);
  return text === undefined ? '{"$base64":"' + base64Of(bytes) + '"}' : '{"$text":' + quote(text) + '}';
}

/** `{metadata, data}` with bytes in both, `externalPayloads` of a reference to external storage, nothing else. */
function isPayload(object: PlainObject): boolean {
  for (const key in object) {
    if (!payloadKeys.has(key) && Object.hasOwn(object, key)) return false;
  }
  const { metadata, data, externalPayloads } = object;
  if (externalPayloads !== undefined && externalPayloads !== null && !Array.isArray(externalPayloads)) return false;
  if (data !== undefined && data !== null && !ArrayBuffer.isView(data)) return false;
  if (typeof metadata !== 'object' || metadata === null) return false;
  let any = false;
  for (const key in metadata) {
    if (!ArrayBuffer.isView((metadata as PlainObject)[key])) return false;
    any = true;
  }
  return any;
}

/** The inverse of `toJson`. */
export function fromJson<T>(json: string): T {
  return revive(parse(json)) as T;
}

function revive(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const element: unknown = value[i];
      if (typeof element === 'object' && element !== null) value[i] = revive(element);
    }
    return value;
  }
  const object = value as PlainObject;
  let escaped = false;
  for (const key in object) {
    if (key.charCodeAt(0) === 36) {
      if (key === '$text') return bytesOfText(object.$text as string);
      if (key === '$base64') return bytesOfBase64(object.$base64 as string);
      if (key === '$payload') return payloadFromMembers(object as StoredPayload, '$payload');
      escaped = true;
    }
    const member = object[key];
    if (typeof member === 'object' && member !== null) {
      const revived = revive(member);
      if (revived !== member) setOwn(object, key, revived);
    }
  }
  if (!escaped) return object;
  const unescaped: PlainObject = {};
  for (const key in object) setOwn(unescaped, key.charCodeAt(0) === 36 ? key.slice(1) : key, object[key]);
  return unescaped;
}

/**
 * Proto3-JSON of plain objects, compiled from the protobufjs description of a message: for each message type one encoding and one decoding
 * function, generated as source. Payloads take the form of payload-json.ts; all else is the JSON that Temporal's tools print.
 *
 * Plain objects hold numbers for enums and 64-bit integers (Long and string are also read), Uint8Array for bytes and {seconds, nanos} for
 * times. Fields at their default are left out, as proto3 does; on the way back they are absent.
 */
// Types only: an application may have several copies of protobufjs, so `instanceof` says nothing.
import type { Enum, Field, Type } from 'protobufjs';
import { int64 } from '../common/proto-values';
import { quote, setOwn } from './json-text';
import { base64Of, bytesOfBase64, payloadFromMembers, payloadMembers, type StoredPayload } from './payload-json';

type Encode = (value: unknown) => string;
type Decode = (json: unknown) => unknown;

export interface ProtoJsonCodec<T> {
  encode(value: T): string;
  /** Takes parsed JSON. */
  decode(json: unknown): T;
}

/** Types with more fields than this are walked by the members they have, not by the fields they could have. */
const wide = 24;

export function compileProtoJson<T>(type: Type): ProtoJsonCodec<T> {
  const compiler = new Compiler();
  const encode = compiler.encoder(type);
  const decode = compiler.decoder(type);
  return { encode: (value) => encode(value), decode: (json) => decode(json) as T };
}

class Compiler {
  private readonly encoders = new Map<string, { call: Encode }>();
  private readonly decoders = new Map<string, { call: Decode }>();

  encoder(type: Type): Encode {
    const special = specialEncoders[type.fullName];
    if (special !== undefined) return special;
    const known = this.encoders.get(type.fullName);
    // Messages contain themselves (Failure.cause): what is being compiled is called through its slot.
    if (known !== undefined) return (value) => known.call(value);
    const slot = { call: noFunction as Encode };
    this.encoders.set(type.fullName, slot);
    slot.call = type.fieldsArray.length > wide ? this.wideEncoder(type) : this.narrowEncoder(type);
    return slot.call;
  }

  decoder(type: Type): Decode {
    const special = specialDecoders[type.fullName];
    if (special !== undefined) return special;
    const known = this.decoders.get(type.fullName);
    if (known !== undefined) return (json) => known.call(json);
    const slot = { call: noFunction as Decode };
    this.decoders.set(type.fullName, slot);
    slot.call = type.fieldsArray.length > wide ? this.wideDecoder(type) : this.narrowDecoder(type);
    return slot.call;
  }

  private narrowEncoder(type: Type): Encode {
    const parts = type.fieldsArray.map((field) => this.fieldEncoder(field));
    const lines = type.fieldsArray.map(
      (field, i) =>
        `v = m.${field.name}; if (v !== undefined && v !== null) { t = e${i}(v); if (t !== '') { s += c + '"${field.name}":' + t; c = ','; } }`,
    );
    const body = `return function encode(m) { let s = '', c = '{', v, t; ${lines.join('\n')} return c === '{' ? '{}' : s + '}'; }`;
    return generate(body, 'e', parts) as Encode;
  }

  private wideEncoder(type: Type): Encode {
    const fields = new Map(type.fieldsArray.map((field) => [field.name, this.fieldEncoder(field)]));
    return (value) => {
      const message = value as Record<string, unknown>;
      let json = '{';
      for (const name in message) {
        const member = message[name];
        if (member === undefined || member === null) continue;
        const text = fields.get(name)?.(member);
        if (text === undefined || text === '') continue;
        json += (json.length > 1 ? ',"' : '"') + name + '":' + text;
      }
      return json + '}';
    };
  }

  private narrowDecoder(type: Type): Decode {
    const parts = type.fieldsArray.map((field) => this.fieldDecoder(field));
    const lines = type.fieldsArray.map(
      (field, i) => `v = j.${field.name}; if (v !== undefined && v !== null) m.${field.name} = d${i}(v);`,
    );
    const body = `return function decode(j) { const m = {}; let v; ${lines.join('\n')} return m; }`;
    return generate(body, 'd', parts) as Decode;
  }

  private wideDecoder(type: Type): Decode {
    const fields = new Map(type.fieldsArray.map((field) => [field.name, this.fieldDecoder(field)]));
    return (json) => {
      const object = json as Record<string, unknown>;
      const message: Record<string, unknown> = {};
      for (const name in object) {
        const member = object[name];
        const decode = fields.get(name);
        if (decode !== undefined && member !== undefined && member !== null) message[name] = decode(member);
      }
      return message;
    };
  }

  /** Gives '' for what is left out: default scalars outside a oneof, empty lists and maps. */
  private fieldEncoder(field: Field): Encode {
    field.resolve();
    if (field.map) {
      const one = this.valueEncoder(field, true);
      return (value) => {
        let json = '';
        const map = value as Record<string, unknown>;
        for (const key in map) json += (json === '' ? '{' : ',') + quote(key) + ':' + one(map[key]);
        return json === '' ? '' : json + '}';
      };
    }
    if (field.repeated) {
      const one = this.valueEncoder(field, true);
      return (value) => {
        const list = value as unknown[];
        if (list.length === 0) return '';
        let json = '[' + one(list[0]);
        for (let i = 1; i < list.length; i++) json += ',' + one(list[i]);
        return json + ']';
      };
    }
    return this.valueEncoder(field, field.partOf !== null);
  }

  private valueEncoder(field: Field, keepDefault: boolean): Encode {
    const resolved = field.resolvedType;
    if (isType(resolved)) return this.encoder(resolved);
    if (resolved !== null) {
      const names = resolved.valuesById;
      return (value) => {
        if (value === 0 && !keepDefault) return '';
        const name = names[value as number];
        return name === undefined ? String(value) : '"' + name + '"';
      };
    }
    return scalarEncoder(field.type, keepDefault);
  }

  private fieldDecoder(field: Field): Decode {
    field.resolve();
    const one = this.valueDecoder(field);
    if (field.map) {
      return (json) => {
        const map: Record<string, unknown> = {};
        const object = json as Record<string, unknown>;
        for (const key in object) setOwn(map, key, one(object[key]));
        return map;
      };
    }
    return field.repeated ? (json) => (json as unknown[]).map(one) : one;
  }

  private valueDecoder(field: Field): Decode {
    const resolved = field.resolvedType;
    if (isType(resolved)) return this.decoder(resolved);
    if (resolved !== null) {
      const { values, fullName } = resolved;
      return (json) => {
        if (typeof json === 'number') return json;
        const value = values[json as string];
        if (value === undefined) throw new TypeError(`${fullName} has no value ${String(json)}`);
        return value;
      };
    }
    return scalarDecoder(field.type);
  }
}

function isType(resolved: Type | Enum | null): resolved is Type {
  return resolved !== null && 'fieldsArray' in resolved;
}

function noFunction(): never {
  throw new Error('Called while being compiled');
}

function generate(body: string, prefix: string, parts: unknown[]): unknown {
  // The source is made of field names of an installed protobuf description, of nothing that users write.
  return new Function(...parts.map((_, i) => `${prefix}${i}`), body)(...parts);
}

function scalarEncoder(type: string, keepDefault: boolean): Encode {
  switch (type) {
    case 'string':
      return (value) => (value === '' && !keepDefault ? '' : quote(value as string));
    case 'bool':
      return (value) => (value === true ? 'true' : keepDefault ? 'false' : '');
    case 'bytes':
      return (value) =>
        (value as Uint8Array).length === 0 && !keepDefault ? '' : '"' + base64Of(value as Uint8Array) + '"';
    case 'double':
    case 'float':
      return (value) => {
        // Protobuf's default is +0 alone, and JSON keeps the sign of -0.
        if (value === 0) return Object.is(value, -0) ? '-0' : keepDefault ? '0' : '';
        return Number.isFinite(value) ? String(value) : '"' + String(value) + '"';
      };
    case 'int64':
    case 'uint64':
    case 'sint64':
    case 'fixed64':
    case 'sfixed64':
      return (value) => {
        const text = typeof value === 'object' && 'low' in value! ? String(int64(value)) : String(value);
        return text === '0' && !keepDefault ? '' : '"' + text + '"';
      };
    default:
      return (value) => (value === 0 && !keepDefault ? '' : String(value));
  }
}

function scalarDecoder(type: string): Decode {
  switch (type) {
    case 'string':
    case 'bool':
      return (json) => json;
    case 'bytes':
      return (json) => bytesOfBase64(json as string);
    default:
      return Number;
  }
}

interface Time {
  seconds?: unknown;
  nanos?: number | null;
}

/** Three, six or nine digits, as protobuf prints them. */
function fraction(nanos: number): string {
  if (nanos === 0) return '';
  if (nanos % 1e6 === 0) return '.' + String(nanos / 1e6).padStart(3, '0');
  if (nanos % 1e3 === 0) return '.' + String(nanos / 1e3).padStart(6, '0');
  return '.' + String(nanos).padStart(9, '0');
}

function nanosOf(fractionDigits: string | undefined): number {
  return fractionDigits === undefined ? 0 : Number(fractionDigits.padEnd(9, '0').slice(0, 9));
}

// Events of one commit share their second.
let lastSecond = NaN;
let lastSecondText = '';

function encodeTimestamp(value: unknown): string {
  const time = value as Time;
  const seconds = int64(time.seconds as number);
  if (seconds !== lastSecond) {
    lastSecond = seconds;
    lastSecondText = new Date(seconds * 1000).toISOString().slice(0, -5);
  }
  return '"' + lastSecondText + fraction(time.nanos ?? 0) + 'Z"';
}

let lastDateText = '';
let lastDateSeconds = 0;

function decodeTimestamp(json: unknown): { seconds: number; nanos: number } {
  const text = json as string;
  const match = /^(.*T\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (match === null) throw new TypeError(`Not a timestamp: ${text}`);
  const date = (match[1] as string) + (match[3] as string);
  if (date !== lastDateText) {
    lastDateText = date;
    lastDateSeconds = Date.parse(date) / 1000;
  }
  return { seconds: lastDateSeconds, nanos: nanosOf(match[2]) };
}

function encodeDuration(value: unknown): string {
  const time = value as Time;
  const seconds = int64(time.seconds as number);
  const nanos = time.nanos ?? 0;
  const sign = seconds < 0 || nanos < 0 ? '-' : '';
  return '"' + sign + Math.abs(seconds) + fraction(Math.abs(nanos)) + 's"';
}

function decodeDuration(json: unknown): { seconds: number; nanos: number } {
  const match = /^(-?)(\d+)(?:\.(\d+))?s$/.exec(json as string);
  if (match === null) throw new TypeError(`Not a duration: ${String(json)}`);
  const seconds = Number(match[2]);
  const nanos = nanosOf(match[3]);
  // `0 -` and not `-`: there is no negative zero here.
  return match[1] === '-' ? { seconds: 0 - seconds, nanos: 0 - nanos } : { seconds, nanos };
}

const specialEncoders: Record<string, Encode> = {
  '.google.protobuf.Timestamp': encodeTimestamp,
  '.google.protobuf.Duration': encodeDuration,
  '.temporal.api.common.v1.Payload': (value) => '{' + payloadMembers(value as object, 'encoding') + '}',
};

const specialDecoders: Record<string, Decode> = {
  '.google.protobuf.Timestamp': decodeTimestamp,
  '.google.protobuf.Duration': decodeDuration,
  '.temporal.api.common.v1.Payload': (json) => payloadFromMembers(json as StoredPayload, 'encoding'),
};

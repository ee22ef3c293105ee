/**
 * Postgres arrays in the wire's binary form. As text, an array of JSON has each quote escaped on the way out and unescaped on the way in;
 * in binary the bytes go as they are. node-pg sends Buffers in binary form.
 */

const OID = { bool: 16, int8: 20, int2: 21, int4: 23, text: 25, json: 114, float8: 701, uuid: 2950 } as const;

/** ndim, has-nulls, element type, then length and lower bound of the one dimension. */
function header(buffer: Buffer, oid: number, count: number, hasNulls: boolean): number {
  if (count === 0) {
    buffer.writeInt32BE(0, 0);
    buffer.writeInt32BE(0, 4);
    buffer.writeInt32BE(oid, 8);
    return 12;
  }
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(hasNulls ? 1 : 0, 4);
  buffer.writeInt32BE(oid, 8);
  buffer.writeInt32BE(count, 12);
  buffer.writeInt32BE(1, 16);
  return 20;
}

const headerSize = (count: number): number => (count === 0 ? 12 : 20);

function fixed<T>(
  oid: number,
  size: number,
  values: readonly (T | null)[],
  write: (buffer: Buffer, value: T, at: number) => void,
): Buffer {
  let nulls = 0;
  for (let i = 0; i < values.length; i++) if (values[i] === null) nulls++;
  const buffer = Buffer.allocUnsafe(headerSize(values.length) + values.length * (4 + size) - nulls * size);
  let at = header(buffer, oid, values.length, nulls > 0);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as T | null;
    if (value === null) {
      at = buffer.writeInt32BE(-1, at);
      continue;
    }
    at = buffer.writeInt32BE(size, at);
    write(buffer, value, at);
    at += size;
  }
  return buffer;
}

export function boolArray(values: readonly boolean[]): Buffer {
  return fixed(OID.bool, 1, values, (buffer, value, at) => buffer.writeUInt8(value ? 1 : 0, at));
}

export function int2Array(values: readonly (number | null)[]): Buffer {
  return fixed(OID.int2, 2, values, (buffer, value, at) => buffer.writeInt16BE(value, at));
}

export function int4Array(values: readonly (number | null)[]): Buffer {
  return fixed(OID.int4, 4, values, (buffer, value, at) => buffer.writeInt32BE(value, at));
}

/** Whole numbers below 2^53, or decimal strings. */
export function int8Array(values: readonly (number | string | null)[]): Buffer {
  return fixed(OID.int8, 8, values, (buffer, value, at) => {
    if (typeof value === 'string') {
      buffer.writeBigInt64BE(BigInt(value), at);
    } else {
      buffer.writeInt32BE(Math.floor(value / 4294967296), at);
      buffer.writeUInt32BE(value >>> 0, at + 4);
    }
  });
}

export function float8Array(values: readonly (number | null)[]): Buffer {
  return fixed(OID.float8, 8, values, (buffer, value, at) => buffer.writeDoubleBE(value, at));
}

/** UUIDs in their usual text form. */
export function uuidArray(values: readonly (string | null)[]): Buffer {
  return fixed(OID.uuid, 16, values, (buffer, value, at) => {
    if (!writeUuid(buffer, value, at)) throw new TypeError(`Not a UUID: ${value}`);
  });
}

/** Digit by digit: a batch has thousands of them, and a string without the hyphens would be made of each. */
function writeUuid(buffer: Buffer, value: string, at: number): boolean {
  let digits = 0;
  let byte = 0;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    let digit: number;
    if (code >= 48 && code <= 57) digit = code - 48;
    else if (code >= 97 && code <= 102) digit = code - 87;
    else if (code >= 65 && code <= 70) digit = code - 55;
    else if (code === 45 && digits % 2 === 0) continue;
    else return false;
    byte = (byte << 4) | digit;
    if (++digits > 32) return false;
    if (digits % 2 === 0) {
      buffer[at + digits / 2 - 1] = byte;
      byte = 0;
    }
  }
  return digits === 32;
}

export function textArray(values: readonly (string | null)[]): Buffer {
  let size = headerSize(values.length);
  let hasNulls = false;
  for (const value of values) {
    size += 4;
    if (value === null) hasNulls = true;
    else size += Buffer.byteLength(value);
  }
  const buffer = Buffer.allocUnsafe(size);
  let at = header(buffer, OID.text, values.length, hasNulls);
  for (const value of values) {
    if (value === null) {
      at = buffer.writeInt32BE(-1, at);
      continue;
    }
    const length = buffer.write(value, at + 4);
    buffer.writeInt32BE(length, at);
    at += 4 + length;
  }
  return buffer;
}

/** JSON texts in UTF-8. */
export function jsonArray(values: readonly (Uint8Array | null)[]): Buffer {
  let size = headerSize(values.length);
  let hasNulls = false;
  for (const value of values) {
    size += 4;
    if (value === null) hasNulls = true;
    else size += value.length;
  }
  const buffer = Buffer.allocUnsafe(size);
  let at = header(buffer, OID.json, values.length, hasNulls);
  for (const value of values) {
    if (value === null) {
      at = buffer.writeInt32BE(-1, at);
      continue;
    }
    at = buffer.writeInt32BE(value.length, at);
    buffer.set(value, at);
    at += value.length;
  }
  return buffer;
}

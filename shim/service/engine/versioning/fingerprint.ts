/**
 * FarmHash's 32-bit fingerprint of a text, by which Temporal's server decides who gets a ramping version: the same workflow id is on the same
 * side of a percentage on both engines.
 */
const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;
const C3 = 0xe6546b64;

const rotate = (value: number, bits: number): number => (value >>> bits) | (value << (32 - bits));

function mix(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const step = (h: number): number => (Math.imul(h, 5) + C3) | 0;

function mur(a: number, h: number): number {
  const scrambled = Math.imul(rotate(Math.imul(a, C1), 17), C2);
  return step(rotate(h ^ scrambled, 19));
}

/** 0 to 2³² - 1. */
export function fingerprint32(text: string): number {
  const bytes = Buffer.from(text);
  const { length } = bytes;
  if (length > 24) return long(bytes);
  if (length > 12) return upTo24(bytes);
  return length > 4 ? upTo12(bytes) : upTo4(bytes);
}

function upTo4(bytes: Buffer): number {
  let b = 0;
  let c = 9;
  for (let i = 0; i < bytes.length; i++) {
    b = (Math.imul(b, C1) + bytes.readInt8(i)) | 0;
    c ^= b;
  }
  return mix(mur(b, mur(bytes.length, c)));
}

function upTo12(bytes: Buffer): number {
  const { length } = bytes;
  const d = length * 5;
  const a = (length + bytes.readUInt32LE(0)) | 0;
  const b = (d + bytes.readUInt32LE(length - 4)) | 0;
  const c = (9 + bytes.readUInt32LE((length >>> 1) & 4)) | 0;
  return mix(mur(c, mur(b, mur(a, d))));
}

function upTo24(bytes: Buffer): number {
  const { length } = bytes;
  const half = length >>> 1;
  let a = bytes.readUInt32LE(half - 4);
  const b = bytes.readUInt32LE(4);
  const c = bytes.readUInt32LE(length - 8);
  const d = bytes.readUInt32LE(half);
  const e = bytes.readUInt32LE(0);
  const f = bytes.readUInt32LE(length - 4);
  let h = (Math.imul(d, C1) + length) | 0;
  a = (rotate(a, 12) + f) | 0;
  h = (mur(c, h) + a) | 0;
  a = (rotate(a, 3) + c) | 0;
  h = (mur(e, h) + a) | 0;
  a = (rotate((a + f) | 0, 12) + d) | 0;
  h = (mur(b, h) + a) | 0;
  return mix(h);
}

function long(bytes: Buffer): number {
  const { length } = bytes;
  const tail = (back: number): number => Math.imul(rotate(Math.imul(bytes.readUInt32LE(length - back), C1), 17), C2);
  let h = length;
  let g = Math.imul(C1, length);
  let f = g;
  h = step(rotate(h ^ tail(4), 19));
  h = step(rotate(h ^ tail(16), 19));
  g = step(rotate(g ^ tail(8), 19));
  g = step(rotate(g ^ tail(12), 19));
  f = (rotate((f + tail(20)) | 0, 19) + 113) | 0;
  const rounds = Math.floor((length - 1) / 20);
  for (let round = 0; round < rounds; round++) {
    const at = round * 20;
    const a = bytes.readUInt32LE(at);
    const b = bytes.readUInt32LE(at + 4);
    const c = bytes.readUInt32LE(at + 8);
    const d = bytes.readUInt32LE(at + 12);
    const e = bytes.readUInt32LE(at + 16);
    h = (h + a) | 0;
    g = (g + b) | 0;
    f = (f + c) | 0;
    h = (mur(d, h) + e) | 0;
    g = (mur(c, g) + a) | 0;
    f = (mur((b + Math.imul(e, C1)) | 0, f) + d) | 0;
    f = (f + g) | 0;
    g = (g + f) | 0;
  }
  g = Math.imul(rotate(Math.imul(rotate(g, 11), C1), 17), C1);
  f = Math.imul(rotate(Math.imul(rotate(f, 11), C1), 17), C1);
  h = step(rotate((h + g) | 0, 19));
  h = Math.imul(rotate(h, 17), C1);
  h = step(rotate((h + f) | 0, 19));
  return Math.imul(rotate(h, 17), C1) >>> 0;
}

/** The seed of a workflow's Math.random and uuid4: SipHash-1-3 of its original run id, as Temporal's core computes it. */
import Long from 'long';

const MASK = 0xffff_ffff_ffff_ffffn;

function rotate(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & MASK;
}

/** SipHash with 1 compression and 3 finalisation rounds under the zero key. */
export function sipHash13(bytes: Uint8Array): bigint {
  let v0 = 0x736f6d6570736575n;
  let v1 = 0x646f72616e646f6dn;
  let v2 = 0x6c7967656e657261n;
  let v3 = 0x7465646279746573n;
  const round = (): void => {
    v0 = (v0 + v1) & MASK;
    v1 = rotate(v1, 13n) ^ v0;
    v0 = rotate(v0, 32n);
    v2 = (v2 + v3) & MASK;
    v3 = rotate(v3, 16n) ^ v2;
    v0 = (v0 + v3) & MASK;
    v3 = rotate(v3, 21n) ^ v0;
    v2 = (v2 + v1) & MASK;
    v1 = rotate(v1, 17n) ^ v2;
    v2 = rotate(v2, 32n);
  };
  const whole = bytes.length - (bytes.length % 8);
  const compress = (from: number, count: number, top: bigint): void => {
    let word = top;
    for (let i = 0; i < count; i++) word |= BigInt(bytes[from + i] as number) << BigInt(8 * i);
    v3 ^= word;
    round();
    v0 ^= word;
  };
  for (let at = 0; at < whole; at += 8) compress(at, 8, 0n);
  compress(whole, bytes.length - whole, BigInt(bytes.length & 0xff) << 56n);
  v2 ^= 0xffn;
  round();
  round();
  round();
  return v0 ^ v1 ^ v2 ^ v3;
}

/** The seed for a run id, as the unsigned Long that lang turns into eight big-endian bytes. Rust ends a hashed string with 0xff. */
export function randomnessSeed(runId: string): Long {
  const text = new TextEncoder().encode(runId);
  const bytes = new Uint8Array(text.length + 1);
  bytes.set(text);
  bytes[text.length] = 0xff;
  const hash = sipHash13(bytes);
  return Long.fromBits(Number(hash & 0xffff_ffffn) | 0, Number(hash >> 32n) | 0, true);
}

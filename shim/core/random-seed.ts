/** The seed of a workflow's Math.random and uuid4: SipHash-1-3 of its original run id, as Temporal's core computes it. */
import Long from 'long';

/** v0 to v3 as low and high halves: BigInt would allocate at each step, and each workflow task asks for seeds. */
type State = Int32Array;

/** "somepseudorandomlygeneratedbytes": the zero key changes nothing of it. */
const INITIAL = [0x70736575, 0x736f6d65, 0x6e646f6d, 0x646f7261, 0x6e657261, 0x6c796765, 0x79746573, 0x74656462];
const [V0, V1, V2, V3] = [0, 2, 4, 6];

function add(v: State, to: number, from: number): void {
  const low = ((v[to] as number) + (v[from] as number)) | 0;
  const carry = low >>> 0 < (v[from] as number) >>> 0 ? 1 : 0;
  v[to] = low;
  v[to + 1] = (v[to + 1] as number) + (v[from + 1] as number) + carry;
}

/** Rotates left by fewer than 32 bits, then xors with another. */
function turn(v: State, at: number, bits: number, other: number): void {
  const [low, high] = [v[at] as number, v[at + 1] as number];
  v[at] = ((low << bits) | (high >>> (32 - bits))) ^ (v[other] as number);
  v[at + 1] = ((high << bits) | (low >>> (32 - bits))) ^ (v[other + 1] as number);
}

/** Rotates by 32 bits. */
function swap(v: State, at: number): void {
  const low = v[at] as number;
  v[at] = v[at + 1] as number;
  v[at + 1] = low;
}

function round(v: State): void {
  add(v, V0, V1);
  turn(v, V1, 13, V0);
  swap(v, V0);
  add(v, V2, V3);
  turn(v, V3, 16, V2);
  add(v, V0, V3);
  turn(v, V3, 21, V0);
  add(v, V2, V1);
  turn(v, V1, 17, V2);
  swap(v, V2);
}

function compress(v: State, low: number, high: number): void {
  v[V3] = (v[V3] as number) ^ low;
  v[V3 + 1] = (v[V3 + 1] as number) ^ high;
  round(v);
  v[V0] = (v[V0] as number) ^ low;
  v[V0 + 1] = (v[V0 + 1] as number) ^ high;
}

/** SipHash with 1 compression and 3 finalisation rounds under the zero key. */
export function sipHash13(bytes: Uint8Array): Long {
  const v = Int32Array.from(INITIAL);
  const byte = (at: number): number => (at < bytes.length ? (bytes[at] as number) : 0);
  const word = (at: number): number => byte(at) | (byte(at + 1) << 8) | (byte(at + 2) << 16) | (byte(at + 3) << 24);
  let at = 0;
  for (; at + 8 <= bytes.length; at += 8) compress(v, word(at), word(at + 4));
  // The last one holds the rest, and the length at its top.
  compress(v, word(at), word(at + 4) | (bytes.length << 24));
  v[V2] = (v[V2] as number) ^ 0xff;
  round(v);
  round(v);
  round(v);
  const half = (at: number): number =>
    (v[V0 + at] as number) ^ (v[V1 + at] as number) ^ (v[V2 + at] as number) ^ (v[V3 + at] as number);
  return Long.fromBits(half(0), half(1), true);
}

/** The seed for a run id, as the unsigned Long that lang turns into eight big-endian bytes. Rust ends a hashed string with 0xff. */
export function randomnessSeed(runId: string): Long {
  const bytes = Buffer.allocUnsafe(Buffer.byteLength(runId) + 1);
  bytes[bytes.write(runId)] = 0xff;
  return sipHash13(bytes);
}

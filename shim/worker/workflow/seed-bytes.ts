/** The random seed as the isolate takes it. */

/** 8 bytes, big-endian, of the seed as the core gives it (a Long, or its decimal digits or halves). */
export function seedBytes(seed: unknown): number[] {
  let value: bigint;
  if (typeof seed === 'bigint') value = seed;
  else if (typeof seed === 'number' || typeof seed === 'string') value = BigInt(seed);
  else {
    const { high, low } = seed as { high: number; low: number };
    value = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  }
  const bytes: number[] = [];
  for (let shift = 56n; shift >= 0n; shift -= 8n) bytes.push(Number((value >> shift) & 0xffn));
  return bytes;
}

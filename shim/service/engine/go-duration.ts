/** Durations as Go writes them, and Temporal's cron strings with it: `1h30m`, `1.5h`, `300ms`; also `2d`, always of 24 hours. */

const unitMs: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const UNITS = 'ns|us|µs|μs|ms|s|m|h|d';
const WHOLE = new RegExp(`^([+-]?)((?:(?:\\d+\\.?\\d*|\\.\\d+)(?:${UNITS}))+)$`);
const PART = new RegExp(`(\\d+\\.?\\d*|\\.\\d+)(${UNITS})`, 'g');

/** Milliseconds; null for what is no duration. */
export function goDurationMs(text: string): number | null {
  if (/^[+-]?0$/.test(text)) return 0;
  const match = WHOLE.exec(text);
  if (match === null) return null;
  let total = 0;
  for (const [, amount, unit] of match[2]!.matchAll(PART)) total += Number(amount) * unitMs[unit!]!;
  return match[1] === '-' ? -total : total;
}

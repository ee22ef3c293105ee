/** When open runs will be closed, by how long closed ones of their kind took. Pure. */

export interface DrainEstimate {
  /** Ms from now until half of the open runs are closed; undefined = nothing to go by. */
  halfMs?: number;
  /** Until all are, each with a chance of nine in ten. */
  allMs?: number;
  /** Open runs that are older than all closed ones took: nothing is known about them. */
  beyond: number;
}

/** `ages` of open runs, `durations` of closed ones, ms. */
export function estimateDrain(ages: number[], durations: number[]): DrainEstimate {
  const sorted = [...durations].sort((a, b) => a - b);
  const remaining = (age: number, share: number): number | undefined => {
    // Those that took longer than this one has taken so far.
    const longer = sorted.slice(sorted.findIndex((duration) => duration > age));
    if (sorted.length === 0 || (sorted.at(-1) ?? 0) <= age) return undefined;
    return longer[Math.min(longer.length - 1, Math.floor(longer.length * share))]! - age;
  };
  const known = ages.filter((age) => remaining(age, 0) !== undefined);
  const beyond = ages.length - known.length;
  if (known.length === 0) return { beyond };
  const halves = known.map((age) => remaining(age, 0.5)!).sort((a, b) => a - b);
  return {
    halfMs: halves[Math.floor((halves.length - 1) / 2)]!,
    allMs: Math.max(...known.map((age) => remaining(age, 0.9)!)),
    beyond,
  };
}

/** Merging pages of runs in the order that Temporal's lists have: open ones first, then the latest close, the latest start, the run id. Pure. */
import type { temporal } from '@temporalio/proto';
import { optionalMs } from '../common/proto-values';

export type Run = temporal.api.workflow.v1.IWorkflowExecutionInfo;

/** A place in the order; `close` null while open. */
export interface Place {
  runId: string;
  start: number;
  close: number | null;
}

/** A page as far as it is not used up, and the tokens that give it and the one after it (base64; '' = none). */
export interface EnginePage {
  engine: string;
  /** Those behind `after`, when that was the last one used. */
  runs: Run[];
  after?: Place;
  page: string;
  next: string;
}

export const runIdOf = (run: Run): string => run.execution?.runId ?? '';

export const placeOf = (run: Run): Place => ({
  runId: runIdOf(run),
  start: optionalMs(run.startTime) ?? 0,
  close: optionalMs(run.closeTime) || null,
});

const isPlace = (value: Run | Place): value is Place => typeof (value as Place).start === 'number';

/** Negative: `a` comes first. */
export function compareRuns(a: Run | Place, b: Run | Place): number {
  const [x, y] = [isPlace(a) ? a : placeOf(a), isPlace(b) ? b : placeOf(b)];
  const byClose = (y.close ?? Infinity) - (x.close ?? Infinity);
  if (byClose !== 0 && !Number.isNaN(byClose)) return byClose;
  if (x.start !== y.start) return y.start - x.start;
  return x.runId < y.runId ? -1 : x.runId > y.runId ? 1 : 0;
}

/**
 * The first `size` of all pages, and where each engine goes on. A page that is used up while there is one after it ends the merging:
 * what comes next on that engine may come before what the others have.
 */
export function mergeRuns(
  pages: EnginePage[],
  size: number,
): { taken: { engine: string; info: Run }[]; rest: [engine: string, position: { page: string; after?: Place }][] } {
  const at = pages.map(() => 0);
  const taken: { engine: string; info: Run }[] = [];
  while (taken.length < size) {
    if (pages.some(({ runs, next }, i) => at[i] === runs.length && next !== '')) break;
    let first = -1;
    pages.forEach(({ runs }, i) => {
      const run = runs[at[i]!];
      if (run === undefined) return;
      const best = first < 0 ? undefined : pages[first]!.runs[at[first]!];
      if (best === undefined || compareRuns(run, best) < 0) first = i;
    });
    if (first < 0) break;
    const page = pages[first]!;
    taken.push({ engine: page.engine, info: page.runs[at[first]!]! });
    at[first]!++;
  }
  const rest: [string, { page: string; after?: Place }][] = [];
  pages.forEach(({ engine, runs, page, next, after: before }, i) => {
    const used = at[i]!;
    const after = used === 0 ? before : placeOf(runs[used - 1]!);
    if (used < runs.length) {
      rest.push([engine, after === undefined ? { page } : { page, after }]);
    } else if (next !== '') rest.push([engine, { page: next }]);
  });
  return { taken, rest };
}

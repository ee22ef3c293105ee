/**
 * Pages of lists. Postgres chooses between the order's index and that of search attributes by how many runs match, and takes them to be spread
 * evenly: matches that only old runs have it would look for along the whole order. So lists that both indexes can serve are looked for a little
 * in the one, then in the other, then further; the first that comes to an end has the answer.
 */
import type { QueryResultRow } from 'pg';
import { executionRow, type ListRecord } from './rows';
import * as visibility from './sql/visibility';
import type { ExecutionRow, ListPosition, VisibilityQuery } from './types';

export interface Page {
  rows: ExecutionRow[];
  /** Where the following page begins, of a full page. */
  next: ListPosition | null;
}

export type Run = <R extends QueryResultRow>(statement: { text: string; values: unknown[] }) => Promise<R[]>;

/** How many runs each of the two looks at before it gives up: pages along the order, matches of the attributes. */
export interface Effort {
  pages: number;
  matches: number;
}

/** A run costs about a microsecond, in either. */
const EFFORTS: readonly Effort[] = [
  { pages: 10, matches: 10_000 },
  { pages: 100, matches: 30_000 },
];
/** A small page is worth as much work. */
const SMALLEST_PAGE = 100;

export async function listPage(
  run: Run,
  schema: string,
  query: VisibilityQuery,
  limit: number,
  after: ListPosition | null,
  efforts = EFFORTS,
  smallestPage = SMALLEST_PAGE,
): Promise<Page> {
  const { indexed, order } = query;
  if (indexed !== undefined && order === undefined) {
    const size = Math.max(limit, smallestPage);
    for (const { pages, matches } of efforts) {
      const found =
        whole(await run(visibility.walk(schema, { ...query, indexed }, limit, after, pages * size))) ??
        whole(await run(visibility.lookUp(schema, { ...query, indexed }, limit, after, matches)));
      if (found !== undefined) return page(found, limit, after);
    }
  }
  return page(await run(visibility.list(schema, query, limit, after)), limit, after);
}

/** Undefined when the search gave up. */
const whole = (records: ListRecord[]): ListRecord[] | undefined =>
  records[0]?.whole === true ? records.filter((record) => record.run_id !== null) : undefined;

function page(records: ListRecord[], limit: number, after: ListPosition | null): Page {
  const last = records.length === limit ? records.at(-1) : undefined;
  const next = last && {
    keys: last.sort_keys,
    runId: last.run_id,
    closedBy: after === null ? (last.closed_by ?? null) : after.closedBy,
  };
  return { rows: records.map(executionRow), next: next ?? null };
}

/** Lists and counts of `executions` around a condition of service/visibility: its placeholders begin at $2, ours follow them. */
import type { ListPosition, SortColumn, VisibilityQuery } from '../types';
import { buildId, columns } from './executions';

const closeOrder = `coalesce(e.close_time, 'infinity'::timestamptz)`;

/** On Temporal each schedule is a workflow of another division; this is what can be seen of it. */
const withSchedules = (s: string): string => `(
  SELECT * FROM ${s}.executions
  UNION ALL SELECT r.* FROM ${s}.schedules x CROSS JOIN LATERAL jsonb_populate_record(NULL::${s}.executions, jsonb_build_object(
    'run_id', x.uuid, 'first_run_id', x.uuid, 'namespace_id', x.namespace_id, 'status', 1,
    'workflow_id', 'temporal-sys-scheduler:' || x.schedule_id,
    'workflow_type', 'temporal-sys-scheduler-workflow', 'task_queue', 'temporal-sys-per-ns-tq', 'start_request_id', x.create_request_id,
    'start_time', x.created_at, 'execution_time', x.created_at, 'history_length', 0, 'history_size_bytes', 0, 'state_transitions', x.version,
    'search_attributes', x.search_attributes || '{"TemporalNamespaceDivision": "TemporalScheduler"}')) r)`;

/** Each row with the build id that is known of it. */
const relation = (s: string, allDivisions = false): string =>
  `(SELECT e.*, ${buildId(s)} AS known_build_id FROM ${allDivisions ? withSchedules(s) : `${s}.executions`} e)`;

const where = ({ condition }: Pick<VisibilityQuery, 'condition'>): string =>
  `e.namespace_id = $1${condition === '' ? '' : ` AND (${condition})`}`;

/** The newest close that is visible to this statement. */
const closedBy = (s: string): string => `(SELECT to_jsonb(e.close_time) #>> '{}' FROM ${s}.executions e
    WHERE e.namespace_id = $1 AND ${closeOrder} < 'infinity' ORDER BY ${closeOrder} DESC LIMIT 1) AS closed_by`;

/** Values of the row's keys as texts that go back into Postgres. */
const keysOf = (keys: string[]): string =>
  `ARRAY[${keys.map((key) => `to_jsonb(${key}) #>> '{}'`).join(', ')}]::text[] AS sort_keys`;

interface Statement {
  text: string;
  values: unknown[];
}

/** Parameters after the conditions'. */
class Parameters {
  readonly values: unknown[];

  constructor({ namespaceId, values }: VisibilityQuery, besides: unknown[] = []) {
    this.values = [namespaceId, ...values, ...besides];
  }

  add(value: unknown, type: string): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }
}

export function list(s: string, query: VisibilityQuery, limit: number, after: ListPosition | null): Statement {
  const parameters = new Parameters(query);
  const { order } = query;
  const text =
    order === undefined
      ? pageOf(s, openFirst(s, query, where(query), 'e.*', limit, after, parameters), after)
      : ordered(s, query, order, limit, after, parameters);
  return { text, values: parameters.values };
}

const listOrder = 'e.close_order DESC, e.start_time DESC, e.run_id';

/** Of rows with close_order and known_build_id. */
const pageOf = (s: string, rows: string, after: ListPosition | null): string =>
  `SELECT ${columns('e.known_build_id')}, ${keysOf(['e.close_order', 'e.start_time'])}${after === null ? `, ${closedBy(s)}` : ''}
    FROM (${rows}) e ORDER BY ${listOrder}`;

/** A page of the matches among `most` runs; each row tells with `whole` that nothing beyond them can belong to it. */
type Search = (
  s: string,
  query: VisibilityQuery & Required<Pick<VisibilityQuery, 'indexed'>>,
  limit: number,
  after: ListPosition | null,
  most: number,
) => Statement;

/** Among the first runs in the order of lists: whole also when it is full. */
export const walk: Search = (s, query, limit, after, most) => {
  const { condition, indexed } = query;
  const parameters = new Parameters(query, indexed.inOrder.values);
  const inOrder = where(indexed.inOrder);
  const walked = openFirst(
    s,
    query,
    inOrder,
    `e.run_id, e.start_time, (${condition}) AS holds`,
    most,
    after,
    parameters,
  );
  const size = parameters.add(limit, 'int8');
  const whole = `(SELECT count(*) FROM page) = ${size} OR (SELECT count(*) FROM (${walked}) e) < ${parameters.add(most, 'int8')}`;
  return { text: found(s, walked, size, after, whole), values: parameters.values };
};

/** Among those that the index of search attributes finds. */
export const lookUp: Search = (s, query, limit, after, most) => {
  const { condition, indexed } = query;
  const parameters = new Parameters(query, indexed.byAttributes.values);
  const { order, beyond } = position(after, parameters);
  const looked = `SELECT e.run_id, e.start_time, ${order} AS close_order, ((${condition})${beyond}) AS holds
    FROM ${relation(s)} e WHERE ${where(indexed.byAttributes)} LIMIT ${parameters.add(most + 1, 'int8')}`;
  const whole = `(SELECT count(*) FROM looked) <= ${parameters.add(most, 'int8')}`;
  const size = parameters.add(limit, 'int8');
  const before = `looked AS MATERIALIZED (${looked}), `;
  return { text: found(s, 'SELECT * FROM looked', size, after, whole, before), values: parameters.values };
};

/** A page of those that hold, with `whole`: one row without a run when there are none. A join without a condition keeps the page's order. */
const found = (
  s: string,
  rows: string,
  limit: string,
  after: ListPosition | null,
  whole: string,
  before = '',
): string =>
  `WITH ${before}page AS MATERIALIZED (${pageOf(
    s,
    `SELECT r.*, e.close_order FROM (SELECT * FROM (${rows}) e WHERE e.holds ORDER BY ${listOrder} LIMIT ${limit}) e
     JOIN ${relation(s)} r ON r.run_id = e.run_id`,
    after,
  )})
  SELECT page.*, answer.whole FROM (SELECT ${whole} AS whole) answer LEFT JOIN page ON true`;

/** A run that has closed since the first page is sorted as it was while it was open; those behind the position come after it. */
function position(after: ListPosition | null, parameters: Parameters): { order: string; beyond: string } {
  if (after === null) return { order: closeOrder, beyond: '' };
  const asOf = parameters.add(after.closedBy ?? '-infinity', 'timestamptz');
  const order = `CASE WHEN ${closeOrder} > ${asOf} THEN 'infinity' ELSE ${closeOrder} END`;
  const close = parameters.add(after.keys[0], 'timestamptz');
  const start = parameters.add(after.keys[1], 'timestamptz');
  const run = parameters.add(after.runId, 'uuid');
  const later = `(e.start_time < ${start} OR e.start_time = ${start} AND e.run_id > ${run})`;
  return { order, beyond: ` AND (${order} < ${close} OR ${order} = ${close} AND ${later})` };
}

/** With an index of its own (executions_over_an_hour). */
const tookLong = `e.close_time - e.start_time > interval '1 hour'`;

/**
 * Open runs first, then the newest close, newest start: two parts, each of which an index has in this order (the partial ones know closed runs
 * only). What has closed since the first page keeps its place among the open ones, as a third part, so that no run is listed twice.
 */
function openFirst(
  s: string,
  query: VisibilityQuery,
  matching: string,
  selected: string,
  size: number,
  after: ListPosition | null,
  parameters: Parameters,
): string {
  const limit = parameters.add(size, 'int8');
  const infinity = `'infinity'::timestamptz`;
  const part = (order: string, condition: string): string => `(SELECT ${selected}, ${order} AS close_order
      FROM ${relation(s, query.allDivisions)} e WHERE ${matching} AND ${condition}
      ORDER BY close_order DESC, e.start_time DESC, e.run_id LIMIT ${limit})`;
  const open = (condition: string): string => part(infinity, condition);
  const closedParts = eachClosed(query, parameters);
  const closed = (condition: string): string =>
    closedParts.map((of) => part(closeOrder, `e.close_time IS NOT NULL AND ${condition}${of}`)).join(' UNION ALL ');
  const isOpen = `${closeOrder} = ${infinity}`;
  const isClosed = `${closeOrder} < ${infinity}`;
  let parts = [open(isOpen), closed(isClosed)];
  if (after !== null) {
    const run = parameters.add(after.runId, 'uuid');
    const close = parameters.add(after.keys[0], 'timestamptz');
    const start = parameters.add(after.keys[1], 'timestamptz');
    const asOf = parameters.add(after.closedBy ?? '-infinity', 'timestamptz');
    const later = `e.start_time <= ${start} AND (e.start_time < ${start} OR e.run_id > ${run})`;
    const further = `${closeOrder} <= ${close} AND (${closeOrder} < ${close} OR ${later})`;
    parts =
      after.keys[0] === 'infinity'
        ? [
            open(`${isOpen} AND ${later}`),
            open(`${isClosed} AND ${closeOrder} > ${asOf} AND ${later}`),
            closed(`${closeOrder} <= ${asOf} AND ${closeOrder} <= ${close}`),
          ]
        : [closed(`${closeOrder} <= ${asOf} AND ${further}`)];
  }
  return `SELECT * FROM (${parts.join(' UNION ALL ')}) e ORDER BY ${listOrder} LIMIT ${limit}`;
}

/**
 * Conditions that divide the closed runs. An index has those of one type in the order of lists, not those of several. Those that started long
 * ago have closed long ago but for the ones that took long, which an index of theirs has.
 */
function eachClosed({ types, startedBy, allDivisions }: VisibilityQuery, parameters: Parameters): string[] {
  if (allDivisions) return [''];
  const ofTypes =
    types === undefined ? [''] : types.map((type) => ` AND e.workflow_type = ${parameters.add(type, 'text')}`);
  if (startedBy === undefined) return ofTypes;
  const latest = parameters.add(startedBy, 'timestamptz');
  const tookNotLong = `NOT ${tookLong} AND ${closeOrder} <= ${latest} + interval '1 hour'`;
  return ofTypes.flatMap((ofType) => [`${ofType} AND ${tookNotLong}`, `${ofType} AND ${tookLong}`]);
}

/** In an order of the caller's; runs without a value come last. What has closed since the first page is sorted as it was while open. */
function ordered(
  s: string,
  query: VisibilityQuery,
  order: SortColumn[],
  limit: number,
  after: ListPosition | null,
  parameters: Parameters,
): string {
  const changes = after !== null && order.some(({ whileOpen }) => whileOpen !== undefined);
  const asOf = changes ? parameters.add(after.closedBy ?? '-infinity', 'timestamptz') : '';
  const keys = order.map(({ sql, type, whileOpen }) =>
    changes && whileOpen !== undefined
      ? `(CASE WHEN ${closeOrder} > ${asOf} THEN ${whileOpen}::${type} ELSE ${sql} END)`
      : sql,
  );
  const sorting = order.map(({ descending }, i) => `${keys[i]} ${descending ? 'DESC' : 'ASC'} NULLS LAST`);
  const page = after === null ? '' : ` AND (${beyond(after, order, keys, parameters)})`;
  return `SELECT ${columns('e.known_build_id')}, ${keysOf(keys)}${after === null ? `, ${closedBy(s)}` : ''}
    FROM ${relation(s, query.allDivisions)} e WHERE ${where(query)}${page}
    ORDER BY ${sorting.join(', ')}, e.run_id LIMIT ${parameters.add(limit, 'int8')}`;
}

function beyond(after: ListPosition, order: SortColumn[], keys: string[], parameters: Parameters): string {
  const same: string[] = [];
  const cases: string[] = [];
  order.forEach(({ type, descending }, i) => {
    const [key, value] = [keys[i], after.keys[i]];
    if (value === null || value === undefined) {
      same.push(`${key} IS NULL`);
      return;
    }
    const given = parameters.add(value, type);
    cases.push([...same, `(${key} ${descending ? '<' : '>'} ${given} OR ${key} IS NULL)`].join(' AND '));
    same.push(`${key} = ${given}`);
  });
  cases.push([...same, `e.run_id > ${parameters.add(after.runId, 'uuid')}`].join(' AND '));
  return cases.map((one) => `(${one})`).join(' OR ');
}

export const count = (s: string, query: VisibilityQuery): Statement => ({
  text: `SELECT count(*)::float8 AS count FROM ${relation(s, query.allDivisions)} e WHERE ${where(query)}`,
  values: [query.namespaceId, ...query.values],
});

/** Values as JSON texts. */
export function countGroups(s: string, query: VisibilityQuery, by: SortColumn[], limit: number): Statement {
  const parameters = new Parameters(query);
  const text = `SELECT ARRAY[${by.map(({ sql }) => `to_jsonb(${sql})::text`).join(', ')}] AS values, count(*)::float8 AS count
    FROM ${relation(s, query.allDivisions)} e WHERE ${where(query)} GROUP BY ${by.map(({ sql }) => sql).join(', ')}
    ORDER BY ${by.map(({ sql }) => `${sql} NULLS LAST`).join(', ')} LIMIT ${parameters.add(limit, 'int8')}`;
  return { text, values: parameters.values };
}

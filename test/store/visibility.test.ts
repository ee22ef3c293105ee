/** Lists and counts on Postgres, held against a plain reading of the same filters and orders. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { Client } from 'pg';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Filter, Value } from '../../shim/service/visibility/filter';
import { parseFilter } from '../../shim/service/visibility/parser';
import { printFilter } from '../../shim/service/visibility/printer';
import { compiled, countQuery, listQuery } from '../../shim/service/visibility/query';
import type { NamespaceInfo } from '../../shim/service/types';
import { type Effort, listPage } from '../../shim/store/lists';
import type { PostgresStore } from '../../shim/store/postgres-store';
import type { ListPosition } from '../../shim/store/types';
import { type TestSchema, afterTest, connect, freshSchema, testStore } from '../support/database';
import { type PlainRun, holds, order } from '../support/plain-filter';

const namespace = {
  id: 1,
  searchAttributeTypes: { Plan: 2, Seats: 3, Score: 4, Active: 5, Renewal: 6, Tags: 7, Notes: 1 },
} as unknown as NamespaceInfo;
const texts = new Set(['Notes']);
const T0 = Date.parse('2025-01-01T00:00:00Z');
const iso = (ms: number): string => new Date(ms).toISOString();

/** A run as a filter sees it; times as RFC 3339 in UTC. */
function run(i: number): PlainRun {
  const closed = i % 3 !== 0;
  const has = (n: number): boolean => i % n !== 0;
  return {
    WorkflowId: ['a', 'ab', 'abc', 'b', 'B', 'ä', 'a%', ''][i % 8] + (i % 2 === 0 ? '' : String(i % 5)),
    RunId: randomUUID(),
    WorkflowType: `type-${i % 4}`,
    TaskQueue: 'q',
    ExecutionStatus: closed ? 2 + (i % 6) : 1,
    StartTime: iso(T0 + (i % 7) * 1000),
    // Some took longer than an hour, to the millisecond.
    CloseTime: closed ? iso(T0 + (i % 5 === 0 ? 3_600_000 + (i % 2) : 10_000) + (i % 11) * 500) : 'infinity',
    HistoryLength: closed ? 3 + (i % 5) : null,
    ParentWorkflowId: has(2) ? `parent-${i % 3}` : null,
    Plan: has(4) ? ['free', 'pro', 'Pro', 'pro+'][i % 4]! : null,
    Seats: has(5) ? (i % 9) - 3 : null,
    Score: has(3) ? i / 4 : null,
    Active: has(6) ? i % 2 === 0 : null,
    Renewal: has(7) ? iso(T0 + (i % 4) * 86_400_000) : null,
    Tags: has(5) ? ['x', 'y', 'z'].slice(i % 3) : null,
    Notes: has(4) ? ['red green', 'green blue', 'blue'][i % 3]! : null,
  };
}

const runs = Array.from({ length: 60 }, (_, i) => run(i));
const byId = new Map(runs.map((run) => [run.RunId as string, run]));

async function insert({ schema }: TestSchema, client: Client, runs: PlainRun[]): Promise<void> {
  const rows = runs.map((run) => {
    const stored = ['Plan', 'Seats', 'Score', 'Active', 'Renewal', 'Tags', 'Notes'].filter(
      (name) => run[name] !== null,
    );
    return {
      ...run,
      CloseTime: run.CloseTime === 'infinity' ? null : run.CloseTime,
      // As an older client gives single values, now and then.
      attributes: Object.fromEntries(
        stored.map((name, i) => [
          name,
          i === 0 && !Array.isArray(run[name]) && run.Active === true ? [run[name]] : run[name],
        ]),
      ),
    };
  });
  await client.query(
    `INSERT INTO ${schema}.executions (run_id, namespace_id, workflow_id, first_run_id, workflow_type, task_queue, status, start_request_id,
       start_time, execution_time, close_time, history_length, history_size_bytes, state_transitions,
       parent_workflow_id, parent_run_id, root_workflow_id, root_run_id, search_attributes)
     SELECT "RunId", 1, "WorkflowId", "RunId", "WorkflowType", "TaskQueue", "ExecutionStatus", '',
       "StartTime", "StartTime", "CloseTime", coalesce("HistoryLength", 2), 100, 5,
       "ParentWorkflowId", CASE WHEN "ParentWorkflowId" IS NOT NULL THEN gen_random_uuid() END, 'root', "RunId", attributes
     FROM jsonb_to_recordset($1::jsonb) AS t("RunId" uuid, "WorkflowId" text, "WorkflowType" text, "TaskQueue" text, "ExecutionStatus" smallint,
       "StartTime" timestamptz, "CloseTime" timestamptz, "HistoryLength" bigint, "ParentWorkflowId" text, attributes jsonb)`,
    [JSON.stringify(rows)],
  );
}

/** Values that occur, and some that do not. */
const valueOf = (name: string): fc.Arbitrary<Value> => {
  const found = runs.flatMap((run) => run[name] ?? []).filter((value) => value !== 'infinity');
  const some: fc.Arbitrary<string | number | boolean> =
    typeof found[0] === 'number' ? fc.integer({ min: -4, max: 20 }) : fc.constantFrom(...found);
  return fc.oneof(fc.constantFrom(...found), some).map((value) => ({ value, text: String(value), position: 0 }));
};
const named = (name: string): { name: string; position: number } => ({ name, position: 0 });
const negated = fc.boolean();
const plain = [
  'WorkflowId',
  'WorkflowType',
  'StartTime',
  'CloseTime',
  'HistoryLength',
  'ParentWorkflowId',
  'Plan',
  'Seats',
  'Score',
  'Renewal',
];
const keywords = ['WorkflowId', 'WorkflowType', 'ParentWorkflowId', 'Plan'];

const condition: fc.Arbitrary<Filter> = fc.oneof(
  fc.constantFrom(...plain, 'ExecutionStatus', 'RunId').chain((name) =>
    fc.record({
      kind: fc.constant('compare' as const),
      name: fc.constant(named(name)),
      operator: fc.constantFrom('=', '!=', '<', '<=', '>', '>='),
      value: valueOf(name),
    }),
  ),
  fc.constantFrom('Tags', 'Notes', 'Active').chain((name) =>
    fc.record({
      kind: fc.constant('compare' as const),
      name: fc.constant(named(name)),
      operator: fc.constantFrom('=', '!='),
      value: valueOf(name),
    }),
  ),
  fc.constantFrom(...keywords, 'RunId').chain((name) =>
    fc.record({
      kind: fc.constant('compare' as const),
      name: fc.constant(named(name)),
      operator: fc.constantFrom('starts_with', 'not starts_with'),
      value: valueOf(name).chain(({ value }) =>
        fc.nat({ max: 3 }).map((length) => {
          const text = [...String(value)].slice(0, length).join('');
          return { value: text, text, position: 0 };
        }),
      ),
    }),
  ),
  fc.constantFrom(...plain, 'ExecutionStatus', 'Tags', 'Active', 'RunId').chain((name) =>
    fc.record({
      kind: fc.constant('in' as const),
      name: fc.constant(named(name)),
      negated,
      values: fc.array(valueOf(name), { minLength: 1, maxLength: 3 }),
    }),
  ),
  fc.constantFrom(...plain, 'ExecutionStatus', 'RunId').chain((name) =>
    fc.record({
      kind: fc.constant('between' as const),
      name: fc.constant(named(name)),
      negated,
      from: valueOf(name),
      to: valueOf(name),
    }),
  ),
  fc.constantFrom(...plain.filter((name) => name !== 'CloseTime'), 'Tags', 'Notes', 'Active').map((name) => ({
    kind: 'null' as const,
    name: named(name),
    negated: name.length % 2 === 0,
  })),
) as fc.Arbitrary<Filter>;

const { filter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    condition,
    fc.record({ kind: fc.constant('not'), operand: tie('filter') }),
    fc.record({
      kind: fc.constantFrom('and', 'or'),
      operands: fc.array(tie('filter'), { minLength: 2, maxLength: 3 }),
    }),
  ) as fc.Arbitrary<Filter>,
}));

type Query = Parameters<PostgresStore['list']>[0];

/** A list of the store, or one that gives up soon in both ways of looking. */
type List = PostgresStore['list'];

async function pages(
  store: { list: List },
  query: Query,
  size: number,
  between?: () => Promise<void>,
): Promise<string[]> {
  const found: string[] = [];
  let after: ListPosition | null = null;
  do {
    const { rows, next }: Awaited<ReturnType<List>> = await store.list(query, size, after);
    found.push(...rows.map(({ runId }) => runId));
    // A token goes through the caller's hands as JSON.
    after = JSON.parse(JSON.stringify(next)) as ListPosition | null;
    await between?.();
  } while (after !== null);
  return found;
}

describe('visibility on Postgres', () => {
  let database: TestSchema;
  let store: PostgresStore;
  let client: Client;
  beforeEach(async () => {
    database = freshSchema();
    store = await testStore({}, database);
    client = await connect();
    afterTest(() => client.end());
    await client.query(`DROP INDEX ${database.schema}.executions_one_open_run`);
    await insert(database, client, runs);
  });

  it('finds what a plain reading of the filter finds', async () => {
    await fc.assert(
      fc.asyncProperty(filter, async (where) => {
        const expected = runs.filter((run) => holds(where, run, texts) === true).map(({ RunId }) => RunId);
        const text = printFilter(where);
        const { rows } = await store.list(listQuery(text, namespace), 1000, null);
        expect(new Set(rows.map(({ runId }) => runId)), text).toEqual(new Set(expected));
        expect(await store.count(listQuery(text, namespace))).toBe(expected.length);
      }),
      { numRuns: 400 },
    );
  });

  const efforts = fc.array(fc.record({ pages: fc.nat({ max: 3 }), matches: fc.nat({ max: 20 }) }), { maxLength: 3 });
  const giving = (efforts: Effort[], smallestPage = 1): { list: List; texts: string[] } => {
    const texts: string[] = [];
    const list: List = (query, limit, after) =>
      listPage(
        async ({ text, values }) => {
          texts.push(text);
          return (await client.query(text, values)).rows;
        },
        `"${database.schema}"`,
        query,
        limit,
        after,
        efforts,
        smallestPage,
      );
    return { list, texts };
  };
  const indexed = fc.constantFrom(
    `Plan = 'pro'`,
    `Plan IN ('pro', 'free')`,
    `Tags = 'y'`,
    `(Plan = 'free' OR Tags IN ('x', 'z'))`,
    `Plan = 'none'`,
  );

  it('finds the same page by page, wherever it gives up looking along the order or by attributes', async () => {
    await fc.assert(
      fc.asyncProperty(
        indexed,
        filter,
        fc.integer({ min: 1, max: 8 }),
        efforts,
        async (start, where, size, efforts) => {
          const query = listQuery(`${start} AND ${printFilter(where)}`, namespace);
          const expected = await pages({ list: giving([]).list }, query, 1000);
          const both = parseFilter(`${start} AND ${printFilter(where)}`).where!;
          const plainly = runs.filter((run) => holds(both, run, texts) === true).map(({ RunId }) => RunId);
          expect(new Set(expected)).toEqual(new Set(plainly));
          expect(await pages(giving(efforts), query, size)).toEqual(expected);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('asks the index of attributes when what matches is not near, and the order again when that is too much', async () => {
    const asked = async (text: string, efforts: Effort[], size = 4): Promise<string[]> => {
      const { list, texts } = giving(efforts);
      await list(listQuery(text, namespace), size, null);
      return texts.map((one) =>
        one.startsWith('WITH page') ? 'walk' : one.startsWith('WITH looked') ? 'look up' : 'all',
      );
    };
    expect(await asked(`Plan = 'pro'`, [{ pages: 20, matches: 0 }])).toEqual(['walk']);
    expect(await asked(`Plan = 'none'`, [{ pages: 20, matches: 0 }])).toEqual(['walk']);
    expect(await asked(`Plan = 'none'`, [{ pages: 1, matches: 0 }])).toEqual(['walk', 'look up']);
    const twice = ['walk', 'look up', 'walk', 'look up'];
    expect(
      await asked(`Plan = 'pro+'`, [
        { pages: 0, matches: 1 },
        { pages: 1, matches: 60 },
      ]),
    ).toEqual(twice);
    expect(
      await asked(`Plan = 'pro+'`, [
        { pages: 0, matches: 1 },
        { pages: 1, matches: 1 },
      ]),
    ).toEqual([...twice, 'all']);
    expect(await asked(`Plan != 'pro'`, [{ pages: 1, matches: 1 }])).toEqual(['all']);
    expect(await asked(`Plan = 'pro' AND WorkflowId = 'a'`, [{ pages: 1, matches: 1 }])).toEqual(['all']);
    expect(await asked(`Plan = 'pro' ORDER BY StartTime`, [{ pages: 1, matches: 1 }])).toEqual(['all']);
  });

  it('lists the runs of several types, each once, in the order of all', async () => {
    const typeOf = (id: string): unknown => byId.get(id)?.WorkflowType;
    const all = await pages(store, listQuery('', namespace), 1000);
    const some = all.filter((id) => typeOf(id) === 'type-1' || typeOf(id) === 'type-3');
    const types = `WorkflowType IN ('type-1', 'type-3', 'type-1', 'none')`;
    for (const size of [1, 7, 1000]) expect(await pages(store, listQuery(types, namespace), size)).toEqual(some);
    const two = listQuery(`${types} AND WorkflowType IN ('type-3', 'type-2')`, namespace);
    expect(await pages(store, two, 4)).toEqual(all.filter((id) => typeOf(id) === 'type-3'));
    const either = listQuery(`${types} OR WorkflowType = 'type-2'`, namespace);
    expect(await pages(store, either, 9)).toEqual(all.filter((id) => typeOf(id) !== 'type-0'));
    const others = listQuery(`NOT (${types})`, namespace);
    expect(await pages(store, others, 9)).toEqual(all.filter((id) => !some.includes(id)));
  });

  const sortable = [...plain, 'ExecutionStatus', 'Active', 'RunId'];
  const orderBy = fc.uniqueArray(fc.record({ name: fc.constantFrom(...sortable), descending: fc.boolean() }), {
    minLength: 1,
    maxLength: 3,
    selector: ({ name }) => name,
  });

  it('sorts by several attributes, those without a value last, in pages of any size', async () => {
    await fc.assert(
      fc.asyncProperty(orderBy, fc.integer({ min: 1, max: 40 }), async (keys, size) => {
        const text = `ORDER BY ${keys.map(({ name, descending }) => `${name} ${descending ? 'DESC' : 'ASC'}`).join(', ')}`;
        const found = await pages(store, listQuery(text, namespace), size);
        const expected = [...runs].sort((a, b) => {
          for (const { name, descending } of keys) {
            const [x, y] = [a[name] ?? null, b[name] ?? null];
            if (x === null || y === null) {
              if (x !== y) return x === null ? 1 : -1;
              continue;
            }
            const ordered = order(x, y);
            if (ordered !== 0) return descending ? -ordered : ordered;
          }
          return order(a.RunId, b.RunId);
        });
        expect(found, text).toEqual(expected.map(({ RunId }) => RunId));
      }),
      { numRuns: 60 },
    );
  });

  it('counts by several attributes', async () => {
    const { query, by } = countQuery("WorkflowType != 'type-0' GROUP BY Plan, ExecutionStatus", namespace);
    expect(by.map(({ name }) => name)).toEqual(['Plan', 'ExecutionStatus']);
    const columns = by.map(({ sql, type }) => ({ sql, type: String(type), descending: false }));
    const groups = await store.countGroups(query, columns, 1000);
    const expected = new Map<string, number>();
    for (const { WorkflowType, Plan, ExecutionStatus } of runs) {
      if (WorkflowType === 'type-0') continue;
      const key = JSON.stringify([Plan === null ? null : JSON.stringify(Plan), String(ExecutionStatus)]);
      expected.set(key, (expected.get(key) ?? 0) + 1);
    }
    expect(new Map(groups.map(({ values, count }) => [JSON.stringify(values), count]))).toEqual(expected);
  });

  it('lists each run once, where it was, when runs close and start between the pages', async () => {
    let closeMs = T0 + 10_000_000;
    let more = 1000;
    await fc.assert(
      fc.asyncProperty(
        fc.option(orderBy),
        fc.constantFrom(
          '',
          `WorkflowType IN ('type-0', 'type-1', 'type-2') `,
          `Tags IN ('y', 'z') `,
          `StartTime <= '${iso(T0 + 5000)}' `,
          `Tags = 'z' AND WorkflowType IN ('type-0', 'type-1', 'type-2') AND StartTime < '${iso(T0 + 6000)}' `,
        ),
        fc.integer({ min: 3, max: 25 }),
        efforts,
        fc.infiniteStream(fc.nat()),
        async (keys, where, size, efforts, picks) => {
          await client.query(`TRUNCATE ${database.schema}.executions`);
          await insert(database, client, runs);
          const clause =
            keys === null
              ? ''
              : `ORDER BY ${keys.map(({ name, descending }) => `${name} ${descending ? 'DESC' : 'ASC'}`).join(', ')}`;
          const query = compiled(parseFilter(where + clause), namespace);
          const before = await pages(store, query, 1000);
          const during = await pages(giving(efforts), query, size, async () => {
            closeMs += 1000;
            const statement = `UPDATE ${database.schema}.executions SET status = 2, close_time = $1, history_length = 9
            WHERE run_id IN (SELECT run_id FROM ${database.schema}.executions WHERE status = 1 ORDER BY run_id OFFSET $2 LIMIT 2)`;
            await client.query(statement, [iso(closeMs), (picks.next().value as number) % 10]);
            await insert(database, client, [
              { ...run(more++), StartTime: iso(closeMs), ExecutionStatus: 1, CloseTime: 'infinity' },
            ]);
          });
          expect(new Set(during).size).toBe(during.length);
          expect(during.filter((id) => byId.has(id))).toEqual(before);
        },
      ),
      { numRuns: 25 },
    );
  });
});

import { SearchAttributeType, defineSearchAttributeKey } from '../../shim/common';
import { describe, expect, it } from 'vitest';
import { testClient } from '../support/connection';
import { complete, scriptedWorker } from '../support/scripted-worker';

const plan = defineSearchAttributeKey('Plan', SearchAttributeType.KEYWORD);
const seats = defineSearchAttributeKey('Seats', SearchAttributeType.INT);
const tags = defineSearchAttributeKey('Tags', SearchAttributeType.KEYWORD_LIST);
const renewal = defineSearchAttributeKey('Renewal', SearchAttributeType.DATETIME);
const notes = defineSearchAttributeKey('Notes', SearchAttributeType.TEXT);
const active = defineSearchAttributeKey('Active', SearchAttributeType.BOOL);
const score = defineSearchAttributeKey('Score', SearchAttributeType.DOUBLE);

type Test = Awaited<ReturnType<typeof testClient>>;

async function withAttributes(): Promise<Test> {
  const test = await testClient();
  await test.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: { Plan: 2, Seats: 3, Tags: 7, Renewal: 6, Notes: 1, Active: 5, Score: 4 },
  });
  return test;
}

async function ids({ client }: Test, query: string): Promise<string[]> {
  const found: string[] = [];
  for await (const info of client.workflow.list({ query })) found.push(info.workflowId);
  return found.sort();
}

describe('visibility', () => {
  it('finds workflows by every kind of attribute', async () => {
    const test = await withAttributes();
    const { client, queue } = test;
    const start = (
      workflowId: string,
      pairs: NonNullable<Parameters<typeof client.workflow.start>[1]>['typedSearchAttributes'],
    ) =>
      client.workflow.start('sub', {
        taskQueue: queue,
        workflowId,
        typedSearchAttributes: pairs,
        memo: { n: workflowId },
      });
    const a = await start('a', [
      { key: plan, value: 'pro' },
      { key: seats, value: 5 },
      { key: tags, value: ['x', 'y'] },
      { key: renewal, value: new Date('2030-01-02T03:04:05.678Z') },
      { key: notes, value: 'the quick brown fox' },
      { key: active, value: true },
      { key: score, value: 1.5 },
    ]);
    await start('b', [
      { key: plan, value: 'free' },
      { key: seats, value: 50 },
      { key: tags, value: ['y'] },
    ]);
    await start('c', []);
    await a.terminate();

    const cases: [query: string, found: string[]][] = [
      ['', ['a', 'b', 'c']],
      ["Plan = 'pro'", ['a']],
      ["Plan != 'pro'", ['b']],
      ["NOT Plan = 'pro'", ['b']],
      ["Plan IN ('pro', 'free') AND Seats > 5", ['b']],
      ["Plan NOT IN ('pro')", ['b']],
      ["Plan STARTS_WITH 'fr'", ['b']],
      ['Plan IS NULL', ['c']],
      ['Plan IS NOT NULL', ['a', 'b']],
      ['Seats BETWEEN 5 AND 50', ['a', 'b']],
      ['Seats = 5 OR Seats = 50', ['a', 'b']],
      ["Tags = 'y'", ['a', 'b']],
      ["Tags IN ('x')", ['a']],
      ["Tags != 'x'", ['b']],
      ["Renewal > '2030-01-01T00:00:00Z'", ['a']],
      ["Renewal = '2030-01-02T04:04:05.678+01:00'", ['a']],
      ["Notes = 'fox'", ['a']],
      ["Notes = 'wolf fox'", ['a']],
      ['Active = true', ['a']],
      ['Score > 1.25', ['a']],
      ["ExecutionStatus = 'Running'", ['b', 'c']],
      ["ExecutionStatus = 'Terminated' AND CloseTime IS NOT NULL", ['a']],
      ["WorkflowId STARTS_WITH 'b' AND WorkflowType = 'sub'", ['b']],
      [`RunId = '${a.firstExecutionRunId}'`, ['a']],
      ["RunId = 'nonsense'", []],
      [`TaskQueue = '${queue}' AND StartTime > '2020-01-01T00:00:00Z'`, ['a', 'b', 'c']],
      ["ExecutionDuration < '1h'", ['a']],
      ['HistoryLength > 2', ['a']],
      ["RootWorkflowId = 'c'", ['c']],
    ];
    for (const [query, found] of cases) expect([query, await ids(test, query)]).toEqual([query, found]);

    const described = await a.describe();
    expect(described.typedSearchAttributes.get(plan)).toBe('pro');
    expect(described.typedSearchAttributes.get(renewal)).toEqual(new Date('2030-01-02T03:04:05.678Z'));
    expect(described.memo).toEqual({ n: 'a' });
    expect(described.status.name).toBe('TERMINATED');
  });

  it('finds single values that were given as lists, as the older API does', async () => {
    const test = await withAttributes();
    const searchAttributes = { Plan: ['legacy'], Seats: [7], Tags: ['z'], Renewal: [new Date('2031-01-01T00:00:00Z')] };
    await test.client.workflow.start('sub', { taskQueue: test.queue, workflowId: 'old', searchAttributes });
    const query = "Plan = 'legacy' AND Seats > 6 AND Tags = 'z' AND Renewal > '2030-01-01T00:00:00Z' AND Plan != 'pro'";
    expect(await ids(test, query)).toEqual(['old']);
    expect(await ids(test, "Plan IN ('legacy') AND Seats BETWEEN 7 AND 8")).toEqual(['old']);
  });

  it('finds runs, open and closed, by the build ids of their workers', async () => {
    const test = await withAttributes();
    const { client, connection, queue } = test;
    // 'open' is committed before a worker is there, so that its row does not yet know the worker.
    await client.workflow.start('open', { taskQueue: queue, workflowId: 'open' });
    scriptedWorker(connection, queue, ({ workflowType }) => ({
      workerVersionStamp: { buildId: 'b1' },
      commands: workflowType?.name === 'open' ? [] : [complete(1)],
    }));
    const closed = await client.workflow.start('closed', { taskQueue: queue, workflowId: 'closed' });
    await closed.result();
    await client.workflow.start('unseen', { taskQueue: 'nobody', workflowId: 'unseen' });
    const { workflowService } = connection;
    const execution = { workflowId: 'open' };
    const history = { namespace: 'default', execution, waitNewEvent: true };
    for (let events = 2; events < 4;) {
      events = (await workflowService.getWorkflowExecutionHistory(history)).history?.events?.length ?? 0;
    }
    expect(await ids(test, "BuildIds = 'unversioned:b1'")).toEqual(['closed', 'open']);
    expect(await ids(test, "BuildIds = 'unversioned:b2'")).toEqual([]);
    expect(await ids(test, 'BuildIds IS NULL')).toEqual(['unseen']);
    for await (const { workflowId, searchAttributes } of client.workflow.list({ query: "BuildIds = 'unversioned'" })) {
      expect([workflowId, searchAttributes]).toEqual([workflowId, { BuildIds: ['unversioned', 'unversioned:b1'] }]);
    }
    for (const handle of [closed, client.workflow.getHandle('open')]) {
      expect((await handle.describe()).searchAttributes).toEqual({ BuildIds: ['unversioned', 'unversioned:b1'] });
    }
  });

  it('says what is wrong with a filter', async () => {
    const { client } = await withAttributes();
    const list = async (query: string): Promise<void> => {
      for await (const _ of client.workflow.list({ query })) return;
    };
    await expect(list("Nope = 'x'")).rejects.toMatchObject({
      cause: {
        code: 3,
        details: "invalid query: invalid expression: column name 'Nope' is not a valid search attribute at position 1",
      },
    });
    for (const query of ['ORDER BY Notes', 'ORDER BY Tags DESC', 'ORDER BY Nope', 'GROUP BY WorkflowType', 'LIMIT 3']) {
      await expect(list(query)).rejects.toMatchObject({ cause: { code: 3 } });
    }
  });

  it('pages, newest first, and counts', async () => {
    const { client, connection, queue } = await withAttributes();
    scriptedWorker(connection, queue, () => ({ commands: [complete(1)] }));
    for (let i = 0; i < 7; i++) {
      const options = { taskQueue: i < 5 ? queue : 'nobody', workflowId: `w${i}` };
      const handle = await client.workflow.start('w', options);
      if (i < 5) await handle.result();
    }
    const seen: string[] = [];
    for await (const info of client.workflow.list({ pageSize: 2 })) seen.push(info.workflowId);
    // Open ones come first.
    expect(seen).toEqual(['w6', 'w5', 'w4', 'w3', 'w2', 'w1', 'w0']);
    expect((await client.workflow.count("ExecutionStatus = 'Completed'")).count).toBe(5);
    const { count, groups } = await client.workflow.count('GROUP BY ExecutionStatus');
    expect(count).toBe(7);
    expect(Object.fromEntries((groups ?? []).map((group) => [String(group.groupValues[0]), group.count]))).toEqual({
      Running: 2,
      Completed: 5,
    });
    const open = await connection.workflowService.listOpenWorkflowExecutions({ namespace: 'default' });
    expect(open.executions).toHaveLength(2);
    const closed = await connection.workflowService.listClosedWorkflowExecutions({
      namespace: 'default',
      executionFilter: { workflowId: 'w3' },
    });
    expect(closed.executions).toHaveLength(1);
  });

  it('sorts by several attributes and counts by several', async () => {
    const { client, queue } = await withAttributes();
    const runs: [id: string, plan?: string, seats?: number][] = [
      ['a', 'pro', 5],
      ['b', 'free', 7],
      ['c', 'pro', 9],
      ['d'],
    ];
    for (const [workflowId, ofPlan, ofSeats] of runs) {
      const typedSearchAttributes = [
        ...(ofPlan === undefined ? [] : [{ key: plan, value: ofPlan }]),
        ...(ofSeats === undefined ? [] : [{ key: seats, value: ofSeats }]),
      ];
      await client.workflow.start('w', { taskQueue: queue, workflowId, typedSearchAttributes });
    }
    const sorted: string[] = [];
    const query = "WorkflowType = 'w' ORDER BY Plan DESC, Seats DESC";
    for await (const { workflowId } of client.workflow.list({ query, pageSize: 1 })) sorted.push(workflowId);
    expect(sorted).toEqual(['c', 'a', 'b', 'd']);

    const { count, groups } = await client.workflow.count("WorkflowId != 'c' GROUP BY Plan, ExecutionStatus, Seats");
    expect([count, groups]).toEqual([
      3,
      [
        { count: 1, groupValues: [['free'], ['Running'], [7]] },
        { count: 1, groupValues: [['pro'], ['Running'], [5]] },
        { count: 1, groupValues: [[null], ['Running'], [null]] },
      ],
    ]);
  });

  it('refuses tokens of another order, and those that it did not make', async () => {
    const { client, connection, queue } = await withAttributes();
    for (const workflowId of ['a', 'b']) await client.workflow.start('w', { taskQueue: queue, workflowId });
    const list = (query: string, nextPageToken?: Uint8Array) =>
      connection.workflowService.listWorkflowExecutions({ namespace: 'default', query, pageSize: 1, nextPageToken });
    const { nextPageToken } = await list('ORDER BY Seats');
    expect((await list('ORDER BY Seats', nextPageToken)).executions).toHaveLength(1);
    const made = (token: object): Uint8Array => Buffer.from(JSON.stringify(token));
    const read = JSON.parse(Buffer.from(nextPageToken).toString()) as object;
    for (const [query, token] of [
      ['', nextPageToken],
      ['ORDER BY Seats, Plan', nextPageToken],
      ['ORDER BY Seats', made({ ...read, runId: 'x' })],
      ['ORDER BY Seats', made({ ...read, keys: ['x'] })],
      ['ORDER BY StartTime', made({ ...read, keys: ['2024-99-99T00:00:00+00:00'] })],
    ] as const) {
      await expect(list(query, token)).rejects.toMatchObject({ code: 3, details: 'Invalid NextPageToken.' });
    }
  });

  it('adds, lists and removes search attributes', async () => {
    const { connection, client, queue } = await withAttributes();
    const { operatorService } = connection;
    const listed = await operatorService.listSearchAttributes({ namespace: 'default' });
    expect(listed.customAttributes).toMatchObject({ Plan: 2, Tags: 7 });
    expect(listed.systemAttributes).toMatchObject({ WorkflowId: 2, StartTime: 6 });
    await expect(
      operatorService.addSearchAttributes({ namespace: 'default', searchAttributes: { RunId: 2 } }),
    ).rejects.toMatchObject({ code: 3, details: 'Search attribute RunId is reserved by system.' });
    await operatorService.removeSearchAttributes({ namespace: 'default', searchAttributes: ['Plan'] });
    await expect(
      client.workflow.start('w', {
        taskQueue: queue,
        workflowId: 'w',
        typedSearchAttributes: [{ key: plan, value: 'x' }],
      }),
    ).rejects.toMatchObject({ cause: { code: 3 } });
  });
});

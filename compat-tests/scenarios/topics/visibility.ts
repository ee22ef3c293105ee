/** Lists, counts and search attributes. */
import type { Scenario } from '../harness/scenario';
import { payload } from '../harness/payloads';
import * as w from '../workflows';

const PREFIX = 'visibility';

export const visibility: Scenario[] = [
  {
    name: 'all types of search attributes, listed by many filters',
    covers: ['C97', 'C99', 'C100', 'C101', 'C105'],
    async run(c) {
      for (let i = 0; i < 4; i++) {
        const handle = await c.start(w.echo, {
          workflowId: c.id(`wf-${i}`),
          args: [i],
          searchAttributes: {
            ScenarioKeyword: [`${PREFIX}-${i}`],
            ScenarioText: [`some words number ${i}`],
            ScenarioInt: [i],
            ScenarioDouble: [i + 0.5],
            ScenarioBool: [i % 2 === 0],
            ScenarioDatetime: [new Date(1_700_000_000_000 + i * 1000)],
            ScenarioKeywordList: ['all', `k${i}`],
          } as never,
        });
        await handle.result();
      }
      const mine = `WorkflowId STARTS_WITH "${c.id('')}"`;
      const list = async (query: string): Promise<string[]> => {
        const found: string[] = [];
        for await (const { workflowId } of c.client.workflow.list({ query })) found.push(workflowId);
        return found.sort();
      };
      await c.until(async () => (await list(`${mine} AND ExecutionStatus = "Completed"`)).length === 4);
      const filters = [
        'ScenarioInt > 1',
        'ScenarioInt BETWEEN 1 AND 2',
        'ScenarioInt NOT BETWEEN 1 AND 2',
        'ScenarioInt IN (0, 3)',
        'ScenarioInt NOT IN (0, 3)',
        'ScenarioInt != 1',
        'ScenarioDouble < 1.6',
        'ScenarioBool = true',
        'ScenarioKeyword = "visibility-2"',
        'ScenarioKeyword STARTS_WITH "visibility-"',
        'ScenarioKeyword NOT STARTS_WITH "visibility-"',
        'ScenarioKeywordList = "k1"',
        'ScenarioKeywordList IN ("k1", "k3")',
        'ScenarioDatetime > "2023-11-14T22:13:21.5Z"',
        'ScenarioText = "words"',
        'ScenarioInt IS NULL',
        'ScenarioInt IS NOT NULL',
        'NOT (ScenarioInt = 1 OR ScenarioInt = 2)',
        'WorkflowType = "echo" AND ExecutionStatus = 2',
        '`ScenarioInt` = 3',
        'ExecutionStatus IN ("Failed", "Running")',
        'TaskQueue = "shared" AND CloseTime IS NOT NULL',
      ];
      const answers: Record<string, unknown> = {};
      for (const filter of filters) answers[filter] = await list(`${mine} AND (${filter})`);
      return answers;
    },
  },
  {
    name: 'filters that are refused',
    covers: ['C100', 'C101', 'C102', 'C103'],
    async run(c) {
      const errors: unknown[] = [];
      for (const query of [
        'Unknown = 1',
        'ScenarioInt = "text"',
        'ScenarioInt =',
        'ScenarioText > "x"',
        'ExecutionStatus = "Nonsense"',
        'WorkflowId = RunId',
        'ScenarioInt = 1 ORDER BY ScenarioInt',
        'ScenarioInt = 1 LIMIT 3',
        'GROUP BY WorkflowType',
      ]) {
        const outcome = await c.outcome(c.rpc.listWorkflowExecutions({ namespace: c.namespace, query, pageSize: 10 }));
        const code = outcome instanceof Error ? (outcome as Error & { code?: number }).code : 'accepted';
        errors.push([query, code]);
      }
      const count = (await c.error(
        c.rpc.countWorkflowExecutions({ namespace: c.namespace, query: 'GROUP BY WorkflowType' }),
      )) as unknown as { code: number };
      return [errors, count.code];
    },
  },
  {
    name: 'counts, with and without groups',
    covers: ['C103'],
    async run(c) {
      await (await c.start(w.echo, { workflowId: c.id('one') })).result();
      await c.error((await c.start(w.failing, { workflowId: c.id('two'), args: ['x'] })).result());
      const query = `WorkflowId STARTS_WITH "${c.id('')}"`;
      const closed = `${query} AND ExecutionStatus != "Running"`;
      await c.until(async () => (await c.client.workflow.count(closed)).count === 2);
      const { count, groups } = await c.client.workflow.count(`${query} GROUP BY ExecutionStatus`);
      return [count, groups.map(({ count, groupValues }) => [count, groupValues]).sort()];
    },
  },
  {
    name: 'pages of a list',
    covers: ['C102', 'C105'],
    async run(c) {
      for (let i = 0; i < 5; i++) await (await c.start(w.echo, { workflowId: c.id(`p${i}`) })).result();
      const query = `WorkflowId STARTS_WITH "${c.id('')}" AND ExecutionStatus = "Completed"`;
      await c.until(async () => (await c.client.workflow.count(query)).count === 5);
      const pages: (string | null | undefined)[][] = [];
      let nextPageToken: Uint8Array | undefined;
      do {
        const page = await c.rpc.listWorkflowExecutions({ namespace: c.namespace, query, pageSize: 2, nextPageToken });
        if (page.executions.length > 0) pages.push(page.executions.map(({ execution }) => execution?.workflowId));
        nextPageToken = page.nextPageToken;
      } while (nextPageToken?.length);
      return pages;
    },
  },
  {
    name: 'search attributes that a start refuses',
    covers: ['C97'],
    async run(c) {
      const refused: Record<string, ReturnType<typeof payload>>[] = [
        { Unregistered: payload('x') },
        { WorkflowType: payload('x') },
        { ScenarioInt: payload('x') },
        { ScenarioBool: payload('x') },
        { ScenarioDatetime: payload('yesterday') },
      ];
      const errors: Error[] = [];
      for (const indexedFields of refused) {
        errors.push(await c.error(c.startRaw({ searchAttributes: { indexedFields } })));
      }
      return errors;
    },
  },
  {
    name: 'a list does not show schedules',
    covers: ['C104'],
    async run(c) {
      const scheduleId = c.id('schedule');
      await c.client.schedule.create({
        scheduleId,
        spec: { calendars: [{ year: 2099 }] },
        action: { type: 'startWorkflow', workflowType: 'echo', taskQueue: c.queue },
      });
      const found: string[] = [];
      for await (const { workflowId } of c.client.workflow.list({
        query: `WorkflowType = "temporal-sys-scheduler-workflow"`,
      })) {
        found.push(workflowId);
      }
      await c.client.schedule.getHandle(scheduleId).delete();
      return found;
    },
  },
];

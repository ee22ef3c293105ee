/** Lists, counts and search attributes. */
import type { Scenario } from '../harness/scenario';
import { payload } from '../harness/payloads';
import * as w from '../workflows';

const PREFIX = 'visibility';

/** Of a closed run with all attributes, a closed one with one number, and an open one. */
const FILTERS = [
  'CloseTime > "2024-01-01T00:00:00Z"',
  'CloseTime < "2090-01-01T00:00:00Z"',
  'CloseTime BETWEEN "2024-01-01T00:00:00Z" AND "2090-01-01T00:00:00Z"',
  'NOT CloseTime > "2024-01-01T00:00:00Z"',
  'CloseTime IS NULL',
  'ExecutionStatus > 1',
  'ExecutionStatus BETWEEN 2 AND 3',
  'ExecutionStatus != "Running"',
  'ExecutionStatus = "WORKFLOW_EXECUTION_STATUS_RUNNING"',
  'ExecutionStatus = 99',
  'ExecutionStatus = "Unspecified"',
  'ExecutionDuration < "1d"',
  'ExecutionDuration < "1h30m"',
  'ExecutionDuration < "00:10:00"',
  'ExecutionDuration < 600000000000',
  'ExecutionDuration > "600000000000"',
  'ExecutionDuration < "-1h"',
  'ExecutionDuration IS NULL',
  'HistoryLength = 11',
  'HistoryLength IS NULL',
  'HistorySizeBytes > 0',
  'StateTransitionCount > 0',
  'StartTime > 0 AND StartTime < "2090-01-01T00:00:00.123456789+05:30"',
  'StartTime IN ("2020-01-01T00:00:00Z")',
  'RunId = "x"',
  'RunId != "x"',
  'RunId > "0" AND RunId NOT STARTS_WITH "-"',
  'ParentWorkflowId IS NULL AND ParentRunId IS NULL',
  'RootRunId IS NOT NULL',
  'ScenarioInt <> 10',
  'ScenarioInt = 10.0',
  'ScenarioInt = 1e1',
  'ScenarioInt = +10',
  'ScenarioInt > - 8',
  'ScenarioInt = "10"',
  'ScenarioInt IN ("10", 3)',
  'ScenarioInt = 99999999999999999999',
  'ScenarioInt = 10 && ScenarioInt > 3 || ScenarioBool = TRUE',
  'NOT NOT ScenarioInt = 10',
  'NOT (ScenarioInt = 10 AND ScenarioDouble = 1.5)',
  'ScenarioDouble > .5',
  'ScenarioDouble > 1',
  'ScenarioBool IN (true, false)',
  'ScenarioBool > false',
  "ScenarioKeyword = 'it''s'",
  "ScenarioKeyword = 'it\\'s'",
  `ScenarioKeyword = "it's"`,
  'ScenarioKeyword = "IT\'S"',
  'ScenarioKeyword > "it"',
  'ScenarioKeyword BETWEEN "a" AND "it~"',
  'ScenarioKeyword STARTS_WITH "it%"',
  'ScenarioKeyword STARTS_WITH ""',
  'ScenarioKeyword starts_with "i"',
  'NOT ScenarioKeyword STARTS_WITH "i"',
  'ScenarioKeyword IN ("k", \'no\')',
  'ScenarioKeywordList = "x"',
  'ScenarioKeywordList IN ("no", "y")',
  'ScenarioKeywordList IS NULL',
  'ScenarioText = "some"',
  'ScenarioText = "GREEN nothing"',
  'ScenarioText = "green-blue"',
  'ScenarioText = "word"',
  'ScenarioText IS NOT NULL',
  'ScenarioDatetime BETWEEN "2024-02-29T12:00:00Z" AND "2024-02-29T14:00:00+01:00"',
  'ScenarioDatetime > 1709208000000000000',
  'TemporalNamespaceDivision IS NULL',
  'BatcherUser = "x"',
  'TemporalPauseInfo = "x"',
];

/** Refused by both, each in its own words. */
const REFUSED = [
  'ScenarioInt == 1',
  '! ScenarioInt = 1',
  'ScenarioInt = 0x0A',
  'ScenarioKeyword = NULL',
  'ScenarioKeyword IS TRUE',
  'ScenarioKeyword IN ()',
  'ScenarioKeyword IN "x"',
  'ScenarioKeyword STARTS_WITH 1',
  'ScenarioKeywordList > "a"',
  'ScenarioKeywordList = 3',
  'ScenarioText IN ("x")',
  'ScenarioDatetime > "1700000000500000000"',
  'ScenarioDatetime = 1.5',
  'ExecutionStatus STARTS_WITH "Run"',
  'ExecutionDuration < "x"',
  'lower(WorkflowId) = "x"',
  '"x" = WorkflowId',
  'true',
  'WorkflowId IN (select 1)',
  'ScenarioInt + 1 = 11',
  'WorkflowId = "x" XOR ScenarioInt = 1',
  "WorkflowId = 'x",
  '(WorkflowId = "x"',
  'WorkflowId = "x")',
  'WorkflowId = $1',
  'ScenarioInt NOT = 1',
  'ScenarioInt BETWEEN 1',
  'AND',
  '()',
];

/** Refused by both in the same words. */
const REFUSED_ALIKE = [
  'Unknown = 1',
  'workflowid = "x"',
  'NamespaceId = "x"',
  '`Workflow Id` = "x"',
  'ScenarioInt',
  'WorkflowId = x1',
  'WorkflowId = lower("x")',
  'ScenarioKeyword LIKE "k%"',
  'ScenarioKeyword REGEXP "k"',
  'WorkflowId <=> "x"',
  'ScenarioBool BETWEEN true AND false',
  'ScenarioText BETWEEN "a" AND "b"',
  'ScenarioKeywordList BETWEEN "a" AND "b"',
  'ExecutionStatus = "running"',
  'StartTime > "2020-01-01"',
  'StartTime > "2020-01-01 00:00:00Z"',
  'StartTime > "2020-02-30T00:00:00Z"',
  'StartTime > "now"',
];

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
    name: 'list filters of all forms, on open and closed runs',
    covers: ['C99', 'C100', 'C101', 'C104'],
    async run(c) {
      const searchAttributes = {
        ScenarioKeyword: ["it's"],
        ScenarioText: ['Some RED, green-blue words'],
        ScenarioInt: [-7],
        ScenarioDouble: [1.5],
        ScenarioBool: [true],
        ScenarioDatetime: [new Date('2024-02-29T12:00:00.5Z')],
        ScenarioKeywordList: ['x', 'y'],
      } as never;
      await (await c.start(w.echo, { workflowId: c.id('done'), args: [1], searchAttributes })).result();
      await (
        await c.start(w.echo, {
          workflowId: c.id('done-too'),
          args: [1],
          searchAttributes: { ScenarioInt: [10] } as never,
        })
      ).result();
      const options = {
        workflowId: c.id('open'),
        taskQueue: c.id('nobody'),
        memo: {},
        searchAttributes: { ScenarioKeyword: ['k'] } as never,
      };
      const open = await c.start(w.echo, { ...options, args: [1] });
      const mine = `WorkflowId STARTS_WITH "${c.id('')}"`;
      const list = async (query: string): Promise<string[]> => {
        const found: string[] = [];
        for await (const { workflowId } of c.client.workflow.list({ query })) found.push(workflowId);
        return found.sort();
      };
      await c.until(async () => (await list(`${mine} AND ExecutionStatus = 2`)).length === 2);
      await c.until(async () => (await list(`${mine} AND ExecutionStatus = 1`)).length === 1);
      const answers: Record<string, unknown> = {};
      for (const filter of FILTERS) answers[filter] = await list(`${mine} AND (${filter})`);
      // Words, quotes and comments that parentheses would hide.
      for (const tail of [
        ';',
        '-- open ones too',
        '/* and */',
        'and true != ScenarioBool',
        'and ScenarioInt = -7 or ScenarioInt = 10',
      ]) {
        answers[tail] = await c
          .outcome(list(`${mine} AND WorkflowId != '' ${tail}`))
          .then((found) => (found instanceof Error ? 'refused' : found));
      }
      await open.terminate();
      return answers;
    },
  },
  {
    name: 'filters that are refused',
    covers: ['C100', 'C101', 'C102', 'C103'],
    async run(c) {
      const refusal = async (query: string): Promise<{ code: unknown; sentence: string }> => {
        const outcome = await c.outcome(c.rpc.listWorkflowExecutions({ namespace: c.namespace, query, pageSize: 10 }));
        if (!(outcome instanceof Error)) return { code: 'accepted', sentence: '' };
        const { code, details } = outcome as Error & { code: number; details: string };
        // Where it is, and in which words of the server's own.
        return { code, sentence: details.replace(/ (at position \d+|in `.*`)$/, '') };
      };
      const codes: unknown[] = [];
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
        ...REFUSED,
      ]) {
        codes.push([query, (await refusal(query)).code]);
      }
      const sentences: unknown[] = [];
      for (const query of REFUSED_ALIKE) sentences.push([query, await refusal(query)]);
      const count = (await c.error(
        c.rpc.countWorkflowExecutions({ namespace: c.namespace, query: 'GROUP BY ScenarioText' }),
      )) as unknown as { code: number };
      return [codes, count.code, sentences];
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

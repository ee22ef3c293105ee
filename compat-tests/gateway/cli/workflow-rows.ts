/** `temporal workflow …` on one workflow. */
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import * as activities from '../activities';
import type { CliBench } from './bench';
import type { Row } from './row';

const target = (workflowId: string): string[] => ['--workflow-id', workflowId];
const typed = ({ taskQueue }: CliBench, type: string): string[] => ['--task-queue', taskQueue, '--type', type];

interface History {
  events: { eventType: string }[];
}
const types = ({ events }: History): string[] => events.map(({ eventType }) => eventType.replace('EVENT_TYPE_', ''));
const status = async ({ client }: CliBench, workflowId: string): Promise<string> =>
  (await client.workflow.getHandle(workflowId).describe()).status.name;

/** A run of `collecting` that has got the numbers. */
async function collecting(bench: CliBench, ...numbers: number[]): Promise<string> {
  const handle = await bench.start('collecting');
  for (const number of numbers) await handle.signal('nudge', number);
  return handle.workflowId;
}

export const workflowRows: Row[] = [
  {
    command: 'workflow start',
    async works(bench) {
      const workflowId = randomUUID();
      const started = await bench.json(
        ...['workflow', 'start', ...typed(bench, 'hello'), ...target(workflowId), '--input', '"cli"'],
        ...['--memo', 'note="from the command line"', '--search-attribute', 'CliPlan="pro"', '--run-timeout', '1h'],
      );
      expect(started).toMatchObject({ workflowId, type: 'hello', namespace: 'default' });
      const handle = bench.client.workflow.getHandle(workflowId);
      expect(await handle.result()).toBe('Hello, cli!');
      const { memo, searchAttributes } = await handle.describe();
      expect([memo, searchAttributes]).toMatchObject([{ note: 'from the command line' }, { CliPlan: ['pro'] }]);
      const again = await bench.run(
        ...[
          'workflow',
          'start',
          ...typed(bench, 'hello'),
          ...target(workflowId),
          '--id-reuse-policy',
          'RejectDuplicate',
        ],
        ...['--fail-existing'],
      );
      expect(again.code).toBe(1);
      expect(again.stderr).toContain('already');
    },
  },
  {
    command: 'workflow execute',
    async works(bench) {
      const result = await bench.json('workflow', 'execute', ...typed(bench, 'hello'), '--input', '"cli"');
      expect(result).toMatchObject({ status: 'COMPLETED', result: 'Hello, cli!' });
      const failed = await bench.run('workflow', 'execute', ...typed(bench, 'failing'), '--input', '"nonRetryable"');
      expect(failed.code).toBe(1);
      expect(failed.stdout + failed.stderr).toContain('no use');
    },
  },
  {
    command: 'workflow list',
    async works(bench) {
      const { workflowId } = await bench.start('hello', 'listed');
      const found = await bench.json<{ execution: { workflowId: string } }[]>(
        ...['workflow', 'list', '--query', `WorkflowId = '${workflowId}'`],
      );
      expect(found.map(({ execution }) => execution.workflowId)).toEqual([workflowId]);
      expect(await bench.text('workflow', 'list', '--limit', '100')).toContain(workflowId);
    },
  },
  {
    command: 'workflow count',
    async works(bench) {
      const workflowId = await collecting(bench);
      const query = `WorkflowId = '${workflowId}'`;
      expect(await bench.text('workflow', 'count', '--query', query)).toContain('Total: 1');
      const grouped = await bench.text('workflow', 'count', '--query', `${query} GROUP BY ExecutionStatus`);
      expect(grouped).toMatch(/Group total: 1, values: "?Running/);
    },
  },
  {
    command: 'workflow describe',
    async works(bench) {
      const workflowId = randomUUID();
      const { taskQueue, client } = bench;
      await client.workflow.start('gated', { workflowId, taskQueue, args: ['described'] });
      await activities.arrived(workflowId);
      const text = await bench.text('workflow', 'describe', ...target(workflowId));
      expect(text).toContain('Pending Activities: 1');
      expect(text).toMatch(/State\s+Started/);
      const described = await bench.json('workflow', 'describe', ...target(workflowId));
      expect(described).toMatchObject({
        workflowExecutionInfo: { status: 'WORKFLOW_EXECUTION_STATUS_RUNNING' },
        pendingActivities: [{ activityType: { name: 'gate' } }],
      });
      activities.open(workflowId);
      await client.workflow.getHandle(workflowId).result();
      const closed = await bench.text('workflow', 'describe', ...target(workflowId));
      expect(closed).toContain('COMPLETED');
      expect(closed).toContain('Hello, described after!');
    },
  },
  {
    command: 'workflow show',
    async works(bench) {
      const handle = await bench.start('hello', 'shown');
      await handle.result();
      const text = await bench.text('workflow', 'show', ...target(handle.workflowId));
      expect(text).toContain('ActivityTaskCompleted');
      expect(text).toContain('Hello, shown!');
      const history = await bench.json<History>('workflow', 'show', ...target(handle.workflowId));
      expect(types(history)).toEqual([
        'WORKFLOW_EXECUTION_STARTED',
        'WORKFLOW_TASK_SCHEDULED',
        'WORKFLOW_TASK_STARTED',
        'WORKFLOW_TASK_COMPLETED',
        'ACTIVITY_TASK_SCHEDULED',
        'ACTIVITY_TASK_STARTED',
        'ACTIVITY_TASK_COMPLETED',
        'WORKFLOW_TASK_SCHEDULED',
        'WORKFLOW_TASK_STARTED',
        'WORKFLOW_TASK_COMPLETED',
        'WORKFLOW_EXECUTION_COMPLETED',
      ]);
    },
  },
  {
    command: 'workflow show --follow',
    async works(bench) {
      const workflowId = await collecting(bench, 1);
      const followed = bench.text('workflow', 'show', '--follow', ...target(workflowId));
      const handle = bench.client.workflow.getHandle(workflowId);
      await handle.signal('nudge', 2);
      await handle.signal('finish');
      const text = await followed;
      expect(text.match(/WorkflowExecutionSignaled/g)).toHaveLength(3);
      expect(text).toContain('WorkflowExecutionCompleted');
    },
  },
  {
    command: 'workflow signal',
    async works(bench) {
      const workflowId = await collecting(bench);
      const text = await bench.text('workflow', 'signal', ...target(workflowId), '--name', 'nudge', '--input', '5');
      expect(text).toContain('Signal workflow succeeded');
      expect(await bench.client.workflow.getHandle(workflowId).query('seen')).toEqual([5]);
      const missing = await bench.run('workflow', 'signal', ...target(randomUUID()), '--name', 'nudge');
      expect(missing.code).toBe(1);
      expect(missing.stderr).toContain('not found');
    },
  },
  {
    command: 'workflow query',
    async works(bench) {
      const workflowId = await collecting(bench, 3, 4);
      const text = await bench.text('workflow', 'query', ...target(workflowId), '--name', 'seen');
      expect(text.replaceAll(/\s/g, '')).toContain('[3,4]');
      const unknown = await bench.run('workflow', 'query', ...target(workflowId), '--name', 'nothing');
      expect(unknown.code).toBe(1);
      expect(unknown.stderr).toContain('nothing');
    },
  },
  {
    command: 'workflow metadata',
    async works(bench) {
      const workflowId = await collecting(bench);
      const metadata = await bench.text('workflow', 'metadata', ...target(workflowId));
      expect(metadata).toContain('seen');
    },
  },
  {
    command: 'workflow update execute',
    async works(bench) {
      const workflowId = await collecting(bench);
      const update = ['workflow', 'update', 'execute', ...target(workflowId), '--name', 'submit', '--input', '"cli"'];
      expect(await bench.json(...update)).toMatchObject({ result: 'Hello, cli!' });
    },
  },
  {
    command: 'workflow update start',
    async works(bench) {
      const workflowId = await collecting(bench);
      const update = ['--name', 'submit', '--input', '"started"', '--update-id', 'u1', '--wait-for-stage', 'accepted'];
      const text = await bench.text('workflow', 'update', 'start', ...target(workflowId), ...update);
      expect(text).toContain('u1');
      const result = await bench.json('workflow', 'update', 'result', ...target(workflowId), '--update-id', 'u1');
      expect(result).toMatchObject({ result: 'Hello, started!' });
    },
  },
  {
    command: 'workflow update describe',
    async works(bench) {
      const workflowId = await collecting(bench);
      const handle = bench.client.workflow.getHandle(workflowId);
      await handle.executeUpdate('submit', { args: ['described'], updateId: 'u2' });
      const text = await bench.text('workflow', 'update', 'describe', ...target(workflowId), '--update-id', 'u2');
      expect(text).toMatch(/[Cc]ompleted/);
      expect(text).toContain('Hello, described!');
    },
  },
  {
    command: 'workflow execute-update-with-start',
    async works(bench) {
      const result = await bench.text(
        ...['workflow', 'execute-update-with-start', ...typed(bench, 'collecting'), ...target(randomUUID())],
        ...['--update-name', 'submit', '--update-input', '"both"', '--id-conflict-policy', 'Fail'],
      );
      expect(result).toContain('Hello, both!');
    },
  },
  {
    command: 'workflow start-update-with-start',
    async works(bench) {
      const workflowId = randomUUID();
      const text = await bench.text(
        ...['workflow', 'start-update-with-start', ...typed(bench, 'collecting'), ...target(workflowId)],
        ...['--update-name', 'submit', '--update-input', '"both"', '--update-wait-for-stage', 'accepted'],
        ...['--update-id', 'u3', '--id-conflict-policy', 'UseExisting'],
      );
      expect(text).toContain('u3');
      expect(await bench.client.workflow.getHandle(workflowId).getUpdateHandle('u3').result()).toBe('Hello, both!');
    },
  },
  {
    command: 'workflow signal-with-start',
    async works(bench) {
      const workflowId = randomUUID();
      const signal = ['--signal-name', 'nudge', '--signal-input', '8'];
      const args = ['workflow', 'signal-with-start', ...typed(bench, 'collecting'), ...target(workflowId), ...signal];
      expect(await bench.json(...args)).toMatchObject({ workflowId });
      await bench.json(...args);
      expect(await bench.client.workflow.getHandle(workflowId).query('seen')).toEqual([8, 8]);
    },
  },
  {
    command: 'workflow cancel',
    async works(bench) {
      const { workflowId } = await bench.start('waitsForever');
      expect(await bench.text('workflow', 'cancel', ...target(workflowId))).toContain('Canceled workflow');
      await bench.client.workflow
        .getHandle(workflowId)
        .result()
        .catch(() => undefined);
      expect(await status(bench, workflowId)).toBe('CANCELLED');
    },
  },
  {
    command: 'workflow terminate',
    async works(bench) {
      const workflowId = await collecting(bench);
      await bench.text('workflow', 'terminate', ...target(workflowId), '--reason', 'enough');
      expect(await status(bench, workflowId)).toBe('TERMINATED');
      const shown = await bench.json<History>('workflow', 'show', ...target(workflowId));
      expect(shown.events.at(-1)).toMatchObject({ workflowExecutionTerminatedEventAttributes: { reason: 'enough' } });
    },
  },
  {
    command: 'workflow reset',
    needs: 'resetWorkflowExecution',
    async works(bench) {
      const workflowId = await collecting(bench, 1, 2);
      const handle = bench.client.workflow.getHandle(workflowId);
      await handle.query('seen');
      const reset = await bench.json(
        'workflow',
        'reset',
        ...target(workflowId),
        '--type',
        'FirstWorkflowTask',
        '--reason',
        'again',
      );
      expect(reset).toHaveProperty('runId');
      const current = await handle.describe();
      expect(current.runId).toBe((reset as { runId: string }).runId);
      expect(await handle.query('seen')).toEqual([1, 2]);
      const byEvent = await bench.json(
        'workflow',
        'reset',
        ...target(workflowId),
        '--event-id',
        '4',
        '--reason',
        'once more',
      );
      expect((byEvent as { runId: string }).runId).not.toBe(current.runId);
    },
  },
  {
    command: 'workflow delete',
    needs: 'deleteWorkflowExecution',
    async works(bench) {
      const handle = await bench.start('hello', 'deleted');
      await handle.result();
      expect(await bench.text('workflow', 'delete', ...target(handle.workflowId))).toContain(
        'Delete workflow succeeded',
      );
      await expect
        .poll(
          () =>
            handle.describe().then(
              () => 'there',
              (error: Error) => error.name,
            ),
          { timeout: 20_000 },
        )
        .toBe('WorkflowNotFoundError');
    },
  },
  {
    command: 'workflow stack',
    async works(bench) {
      const workflowId = await collecting(bench);
      expect(await bench.text('workflow', 'stack', ...target(workflowId))).toMatch(/collecting|condition/);
    },
  },
  {
    command: 'workflow trace',
    async works(bench) {
      const handle = await bench.start('parent', ['traced']);
      await handle.result();
      const text = await bench.text('workflow', 'trace', ...target(handle.workflowId), '--no-fold');
      expect(text).toContain('parent');
      expect(text).toContain('greet');
      expect(text).toContain('hello');
    },
  },
  {
    command: 'workflow result',
    async works(bench) {
      const workflowId = await collecting(bench, 6);
      const waiting = bench.json('workflow', 'result', ...target(workflowId));
      await bench.client.workflow.getHandle(workflowId).signal('finish');
      expect(await waiting).toMatchObject({ status: 'COMPLETED', result: [6] });
    },
  },
  {
    command: 'workflow update-options',
    async works(bench) {
      const workflowId = await collecting(bench);
      const override = '--versioning-override-behavior';
      await bench.text('workflow', 'update-options', ...target(workflowId), override, 'auto_upgrade');
      const versioning = async () => {
        const { raw } = await bench.client.workflow.getHandle(workflowId).describe();
        return raw.workflowExecutionInfo?.versioningInfo?.versioningOverride;
      };
      expect(await versioning()).toMatchObject({ autoUpgrade: true });
      await bench.text('workflow', 'update-options', ...target(workflowId), override, 'unspecified');
      expect(await versioning()).toBeFalsy();
      const batch = ['--query', `WorkflowId = '${workflowId}'`, '--yes'];
      await bench.text('workflow', 'update-options', ...batch, override, 'auto_upgrade');
      await expect.poll(versioning, { timeout: 10_000 }).toMatchObject({ autoUpgrade: true });
    },
  },
];

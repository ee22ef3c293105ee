/** `temporal batch …`, and `temporal workflow … --query`, which makes batch jobs. */
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { CliBench } from './bench';
import type { Row } from './row';

interface Group {
  ids: string[];
  flags: string[];
  statuses(): Promise<string[]>;
}

/** Three runs that a query finds. */
async function group(bench: CliBench, type = 'collecting'): Promise<Group> {
  const name = randomUUID();
  const ids = [1, 2, 3].map((n) => `${name}-${n}`);
  for (const workflowId of ids) await bench.client.workflow.start(type, { workflowId, taskQueue: bench.taskQueue });
  return {
    ids,
    flags: ['--query', `WorkflowId STARTS_WITH '${name}'`, '--reason', 'a test', '--yes'],
    statuses: () =>
      Promise.all(
        ids.map((id) =>
          bench.client.workflow
            .getHandle(id)
            .describe()
            .then(
              ({ status }) => status.name,
              (error: Error) => error.name,
            ),
        ),
      ),
  };
}

const all = (status: string): string[] => [status, status, status];

async function job(bench: CliBench, ...more: string[]): Promise<string> {
  const { flags } = await group(bench);
  const { batchJobId } = await bench.json<{ batchJobId: string }>('workflow', 'terminate', ...flags, ...more);
  return batchJobId;
}

const acting = (command: string, args: string[], works: (bench: CliBench, group: Group) => Promise<void>): Row => ({
  command: `workflow ${command} --query`,
  needs: 'startBatchOperation',
  async works(bench) {
    const found = await group(bench);
    await bench.text('workflow', command, ...found.flags, ...args);
    await works(bench, found);
  },
  refused: async (bench) => ['workflow', command, ...(await group(bench)).flags, ...args],
});

const become =
  (status: string) =>
  async (_: CliBench, { statuses }: Group) => {
    await expect.poll(statuses, { timeout: 30_000 }).toEqual(all(status));
  };

export const batchRows: Row[] = [
  acting('signal', ['--name', 'finish'], become('COMPLETED')),
  acting('cancel', [], become('CANCELLED')),
  acting('terminate', [], become('TERMINATED')),
  acting('delete', [], become('WorkflowNotFoundError')),
  acting('reset', ['--type', 'FirstWorkflowTask'], async ({ client }, { ids }) => {
    const resets = async (): Promise<boolean[]> =>
      Promise.all(
        ids.map(async (id) => {
          const { raw } = await client.workflow.getHandle(id).describe();
          return raw.workflowExtendedInfo?.originalStartTime !== undefined && (await runs(client, id)) === 2;
        }),
      );
    await expect.poll(resets, { timeout: 30_000 }).toEqual([true, true, true]);
  }),
  {
    command: 'batch list',
    needs: 'listBatchOperations',
    async works(bench) {
      const jobId = await job(bench);
      expect(await bench.text('batch', 'list')).toContain(jobId);
    },
    refused: () => Promise.resolve(['batch', 'list']),
  },
  {
    command: 'batch describe',
    needs: 'describeBatchOperation',
    async works(bench) {
      const jobId = await job(bench);
      await expect
        .poll(() => bench.text('batch', 'describe', '--job-id', jobId), { timeout: 30_000 })
        .toMatch(/Completed/i);
    },
    refused: () => Promise.resolve(['batch', 'describe', '--job-id', 'j']),
  },
  {
    command: 'batch terminate',
    needs: 'stopBatchOperation',
    async works(bench) {
      const jobId = await job(bench, '--rps', '0.05');
      await bench.text('batch', 'terminate', '--job-id', jobId, '--reason', 'stop');
      expect(await bench.text('batch', 'describe', '--job-id', jobId)).toMatch(/Failed/i);
      // One that has come to its end is not found any more.
      const { code } = await bench.run('batch', 'terminate', '--job-id', jobId, '--reason', 'stop');
      expect(code).toBe(1);
    },
    refused: () => Promise.resolve(['batch', 'terminate', '--job-id', 'j', '--reason', 'stop']),
  },
];

async function runs(client: CliBench['client'], workflowId: string): Promise<number> {
  return (await client.workflow.count(`WorkflowId = '${workflowId}'`)).count;
}

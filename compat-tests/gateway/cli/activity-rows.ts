/** `temporal activity …` */
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import * as activities from '../activities';
import type { CliBench } from './bench';
import type { Row } from './row';

interface Described {
  pendingActivities: {
    activityId: string;
    paused?: boolean;
    attempt?: number;
    activityOptions?: { startToCloseTimeout?: string };
  }[];
}

/** A run whose activity waits at a gate; flags that name the two. */
async function atGate(
  bench: CliBench,
): Promise<{ workflowId: string; flags: string[]; pending(): Promise<Described['pendingActivities'][0]> }> {
  const workflowId = randomUUID();
  await bench.client.workflow.start('gated', { workflowId, taskQueue: bench.taskQueue, args: ['gate'] });
  await activities.arrived(workflowId);
  const pending = async (): Promise<Described['pendingActivities'][0]> =>
    (await bench.json<Described>('workflow', 'describe', '--workflow-id', workflowId)).pendingActivities[0]!;
  const { activityId } = await pending();
  return { workflowId, flags: ['--workflow-id', workflowId, '--activity-id', activityId], pending };
}

export const activityRows: Row[] = [
  {
    command: 'activity complete',
    async works(bench) {
      const { workflowId } = await bench.start('asyncCompletion');
      const handle = bench.client.workflow.getHandle(workflowId);
      await expect.poll(async () => (await handle.describe()).raw.pendingActivities?.[0]?.lastStartedTime).toBeTruthy();
      const flags = ['--workflow-id', workflowId, '--activity-id', '1', '--result', '"from the command line"'];
      await bench.text('activity', 'complete', ...flags);
      expect(await handle.result()).toBe('from the command line');
    },
  },
  {
    command: 'activity fail',
    async works(bench) {
      const { workflowId, flags } = await atGate(bench);
      await bench.text('activity', 'fail', ...flags, '--reason', 'because', '--detail', '"so"');
      const handle = bench.client.workflow.getHandle(workflowId);
      await expect(handle.result()).rejects.toMatchObject({ cause: { cause: { message: 'because' } } });
    },
  },
  {
    command: 'activity pause',
    needs: 'pauseActivity',
    async works(bench) {
      const { flags, pending, workflowId } = await atGate(bench);
      await bench.text('activity', 'pause', ...flags);
      expect(await pending()).toMatchObject({ paused: true });
      await bench.client.workflow.getHandle(workflowId).terminate();
    },
  },
  {
    command: 'activity unpause',
    needs: 'unpauseActivity',
    async works(bench) {
      const { workflowId, flags, pending } = await atGate(bench);
      await bench.text('activity', 'pause', ...flags);
      await bench.text('activity', 'unpause', ...flags);
      expect((await pending()).paused ?? false).toBe(false);
      activities.open(workflowId);
      await bench.client.workflow.getHandle(workflowId).result();
    },
  },
  {
    command: 'activity reset',
    needs: 'resetActivity',
    async works(bench) {
      const { workflowId, flags, pending } = await atGate(bench);
      await bench.text('activity', 'reset', ...flags);
      expect((await pending()).attempt ?? 1).toBe(1);
      await bench.client.workflow.getHandle(workflowId).terminate();
    },
  },
  {
    command: 'activity update-options',
    needs: 'updateActivityOptions',
    async works(bench) {
      const { workflowId, flags, pending } = await atGate(bench);
      await bench.text('activity', 'update-options', ...flags, '--start-to-close-timeout', '7m');
      expect((await pending()).activityOptions?.startToCloseTimeout).toBe('420s');
      await bench.client.workflow.getHandle(workflowId).terminate();
    },
  },
];

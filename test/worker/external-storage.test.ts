/** External storage: large payloads go to the user's driver, histories carry references, and everybody reads what was stored. */
import { randomUUID } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { ExternalStorage, type Payload, type StorageDriver, StorageDriverClaim } from '@temporalio/common';
import { isReferencePayload } from '@temporalio/common/lib/internal-non-workflow';
import { describe, expect, it } from 'vitest';
import { Client } from '../../shim/client/client';
import { bundleOf } from '../support/activations';
import { harness } from './harness';

const source = `
import * as wf from '@temporalio/workflow';
const { twice, beat } = wf.proxyActivities<any>({ startToCloseTimeout: '20s', retry: { initialInterval: 20 } });
const local = wf.proxyLocalActivities<any>({ startToCloseTimeout: '5s' });
export async function child(text: string) { return text + '!'; }
export async function all(text: string) {
  let told = '';
  wf.setHandler(wf.defineSignal<[string]>('tell'), (value) => void (told = value));
  wf.setHandler(wf.defineQuery<string>('told'), () => told);
  wf.setHandler(wf.defineUpdate<string, [string]>('put'), async (value) => twice(value));
  await wf.condition(() => told !== '');
  const answers = [await twice(text), await local.twice(text), await beat(text), await wf.executeChild(child, { args: [text] })];
  return answers;
}
export async function echo(text: string) { return text; }
`;

class Drawer implements StorageDriver {
  readonly name = 'drawer';
  readonly type = 'drawer';
  readonly kept = new Map<string, Payload>();
  readonly targets: (string | undefined)[] = [];
  failures = 0;

  async store({ target }: Parameters<StorageDriver['store']>[0], payloads: Payload[]): Promise<StorageDriverClaim[]> {
    if (this.failures-- > 0) throw new Error('the drawer is stuck');
    this.targets.push(target?.type);
    return payloads.map((payload) => {
      const key = randomUUID();
      this.kept.set(key, payload);
      return new StorageDriverClaim({ key });
    });
  }

  async retrieve(_context: unknown, claims: StorageDriverClaim[]): Promise<Payload[]> {
    return claims.map(({ claimData }) => this.kept.get(claimData.key!)!);
  }
}

const large = 'x'.repeat(2000);
const activities = {
  twice: async (text: string) => text + text,
};

function storing() {
  const drawer = new Drawer();
  return {
    drawer,
    dataConverter: { externalStorage: new ExternalStorage({ drivers: [drawer], payloadSizeThreshold: 1000 }) },
  };
}

async function stored() {
  const { drawer, dataConverter } = storing();
  const beat = async (text: string): Promise<unknown> => {
    const { info, heartbeat } = Context.current();
    if (info.attempt > 1) return info.heartbeatDetails;
    heartbeat(text);
    throw new Error('after a heartbeat');
  };
  const made = await harness({
    dataConverter,
    workflowBundle: await bundleOf(source),
    activities: { ...activities, beat },
  });
  return { ...made, drawer };
}

describe('external storage', () => {
  it('holds what is large, wherever it passes', async () => {
    const { run, drawer } = await stored();
    await run(async ({ client, taskQueue }) => {
      const handle = await client.workflow.start('all', { taskQueue, workflowId: randomUUID(), args: [large] });
      await handle.signal('tell', large);
      expect(await handle.query('told')).toBe(large);
      expect(await handle.executeUpdate('put', { args: [large] })).toBe(large + large);
      const lengths = ((await handle.result()) as string[]).map(({ length }) => length);
      expect(lengths).toEqual([2 * large.length, 2 * large.length, large.length, large.length + 1]);
      await handle.fetchHistory();
      // Reading does not put what was stored back into the history.
      const { history } = await client.workflowService.getWorkflowExecutionHistory({
        namespace: 'default',
        execution: { workflowId: handle.workflowId },
      });
      const [started, completed] = [history!.events![0]!, history!.events!.at(-1)!];
      const [input] = started.workflowExecutionStartedEventAttributes!.input!.payloads!;
      const [result] = completed.workflowExecutionCompletedEventAttributes!.result!.payloads!;
      expect([input, result].map((payload) => isReferencePayload(payload as Payload))).toEqual([true, true]);
      expect(new Set(drawer.targets)).toEqual(new Set(['all', 'child', undefined]));
    });
  });

  it('that fails to take a result has the activity tried again', async () => {
    const { run, drawer } = await stored();
    await run(async ({ client, taskQueue }) => {
      const handle = await client.workflow.start('all', {
        taskQueue,
        workflowId: randomUUID(),
        args: ['y'.repeat(600)],
      });
      drawer.failures = 1;
      await handle.signal('tell', 'go');
      expect((await handle.result()) as string[]).toContain('y'.repeat(1200));
    });
  });

  it('that a worker lacks is named where a reference comes in', async () => {
    const { dataConverter, drawer } = storing();
    const without = await harness({ workflowBundle: await bundleOf(source) });
    await without.run(async ({ taskQueue, connection }) => {
      const client = new Client({ connection, dataConverter });
      const handle = await client.workflow.start('echo', { taskQueue, workflowId: randomUUID(), args: [large] });
      expect(drawer.kept.size).toBe(1);
      for (;;) {
        const { events } = await handle.fetchHistory();
        const failed = events?.find((event) => event.workflowTaskFailedEventAttributes);
        if (failed !== undefined) {
          const { message } = failed.workflowTaskFailedEventAttributes!.failure!;
          expect(message).toContain('external storage is not configured');
          break;
        }
      }
      await handle.terminate();
    });
  });
});

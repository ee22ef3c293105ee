/** A process that waits, booted, for its database; then it starts transfers and works on them, as it is told. */
import { Client } from 'branchline/client';
import { NativeConnection, Worker } from 'branchline/worker';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { acquireService } from '../../../lib/service/shared';
import { ledgerActivities, type Transfer } from './book';
import type { transfer } from './workflows';

export type Order =
  | { go: string; taskQueue: string; bundle: string }
  | { poll: boolean }
  | { start: Transfer[]; waits: boolean }
  | { settle: string };

/** Ms. Others go on with what a dead process had when its lease has ended. */
const LEASE_MS = Number(process.env.LEASE_MS ?? 600);

let client: Client;
let taskQueue: string;
let makeWorker: () => Promise<Worker>;
let working: { worker: Worker; ended: Promise<void> } | undefined;

async function go(order: { go: string; taskQueue: string; bundle: string }): Promise<void> {
  taskQueue = order.taskQueue;
  // Connections join what the process has opened: this is how their lease gets shorter.
  await acquireService({ url: order.go, leaseMs: LEASE_MS });
  const connection = await NativeConnection.connect({ url: order.go });
  client = new Client({ connection });
  makeWorker = () =>
    Worker.create({
      connection,
      taskQueue,
      workflowBundle: { codePath: order.bundle },
      activities: ledgerActivities,
      stickyQueueScheduleToStartTimeout: '500ms',
      shutdownGraceTime: '1s',
    });
}

async function poll(wanted: boolean): Promise<void> {
  if (wanted && working === undefined) {
    const worker = await makeWorker();
    working = { worker, ended: worker.run() };
  } else if (!wanted && working !== undefined) {
    working.worker.shutdown();
    await working.ended;
    working = undefined;
  }
}

/** Until it is known that it is there: a start whose answer is lost is asked for again. */
async function start({ id, from, to, cents }: Transfer, waits: boolean): Promise<void> {
  for (;;) {
    try {
      await client.workflow.start<typeof transfer>('transfer', {
        ...{ workflowId: id, taskQueue, args: [from, to, cents, waits] },
        ...{ workflowIdReusePolicy: 'REJECT_DUPLICATE', workflowTaskTimeout: '1s' },
      });
      return;
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function obey(order: Order): Promise<void> {
  if ('go' in order) await go(order);
  else if ('poll' in order) await poll(order.poll);
  else if ('start' in order) await Promise.all(order.start.map((each) => start(each, order.waits)));
  else await client.workflow.getHandle(order.settle).signal('settle');
}

process.on('message', (order: Order) => {
  obey(order).then(
    () => process.send?.('done'),
    (error: unknown) => {
      console.error(error);
      process.send?.('failed');
    },
  );
});
process.on('disconnect', () => process.exit(0));
process.send?.('booted');

/** A process that waits, booted, for its database; then it starts transfers and works on them, as it is told. */
import { Client, Connection, WorkflowExecutionAlreadyStartedError } from 'branchline/client';
import { NativeConnection, Worker } from 'branchline/worker';
import { acquireService } from '../../../lib/service/shared';
import { ledgerActivities, type Transfer } from './book';
import { place } from './callers';
import type { transfer } from './workflows';

export type Order =
  | { go: string; schema: string; taskQueue: string; bundle: string }
  | { poll: boolean }
  | { start: Transfer[]; waits: boolean; beside?: boolean }
  | { settle: string };

/** Ms. Others go on with what a dead process had when its lease has ended. */
const LEASE_MS = Number(process.env.LEASE_MS ?? 600);

/** Of callers of this process at once: each has a connection. */
const CALLERS = 4;

let client: Client;
let url: string;
let taskQueue: string;
let makeWorker: () => Promise<Worker>;
let working: { worker: Worker; ended: Promise<void> } | undefined;

async function go(order: { go: string; schema: string; taskQueue: string; bundle: string }): Promise<void> {
  taskQueue = order.taskQueue;
  url = order.go;
  // Connections join what the process has opened: this is how their lease gets shorter.
  const database = { url, schema: order.schema };
  await acquireService({ ...database, leaseMs: LEASE_MS });
  const connection = await NativeConnection.connect(database);
  client = new Client({ connection: await Connection.connect(database) });
  makeWorker = () =>
    Worker.create({
      connection,
      taskQueue,
      workflowBundle: { codePath: order.bundle },
      activities: ledgerActivities,
      // No more than have a connection: what waits for one is not started, and its time does not run.
      maxConcurrentActivityTaskExecutions: 2,
      maxConcurrentLocalActivityExecutions: 2,
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
  else if ('start' in order) {
    const { waits, beside } = order;
    const caller = { url, client, taskQueue, beside };
    const [placed, started] = [true, false].map((byCaller) => order.start.filter((each) => each.byCaller === byCaller));
    await Promise.all([
      ...started!.map((each) => start(each, waits)),
      ...Array.from({ length: CALLERS }, async () => {
        for (let next = placed!.shift(); next !== undefined; next = placed!.shift()) await place(caller, next, waits);
      }),
    ]);
  } else await client.workflow.getHandle(order.settle).signal('settle');
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

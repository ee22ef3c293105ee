/** What is to be seen on the pages: workflows in every state that a reader asks about, and a schedule. */
import { Client, Connection, ScheduleOverlapPolicy, WorkflowFailedError } from '../../shim/client';
import { defineSearchAttributeKey, SearchAttributeType } from '../../shim/common';
import type { Database } from './processes';
import * as workflows from './workflows';

export const TASK_QUEUE = 'orders';
/** What the tests only look at, and what they change. */
export const NAMESPACES = { shown: 'default', changed: 'changes' } as const;
export type Namespace = (typeof NAMESPACES)[keyof typeof NAMESPACES];
export const SEARCH_ATTRIBUTES = ['Customer=Keyword', 'OrderTotal=Int'];
const CUSTOMER = defineSearchAttributeKey('Customer', SearchAttributeType.KEYWORD);

/** Workflow ids; `order` is closed, `declined` failed, the others run. */
export const IDS = {
  order: 'order-1001',
  declined: 'payment-1002',
  approval: 'approval-1003',
  carrier: 'carrier-1004',
  exporting: 'export-1005',
  household: 'household-1006',
} as const;
export const SCHEDULE = 'weekly-report';

const STATE_LIMIT_MS = 60_000;

export interface Scene {
  client: Client;
  close(): Promise<void>;
}

export async function connectToScene(database: Database, namespace: Namespace): Promise<Scene> {
  const connection = await Connection.connect(database);
  return { client: new Client({ connection, namespace }), close: () => connection.close() };
}

/** Starts all of it and waits until it is as the tests expect. */
export async function setTheScene(client: Client): Promise<void> {
  const start = (workflowId: string): { workflowId: string; taskQueue: string } => ({
    workflowId,
    taskQueue: TASK_QUEUE,
  });
  const order = await client.workflow.start(workflows.orderFulfilment, {
    ...start(IDS.order),
    args: [{ id: '1001', items: ['pens', 'paper'] }],
    memo: { note: 'a gift' },
    typedSearchAttributes: [{ key: CUSTOMER, value: 'acme' }],
    staticSummary: 'Pens and paper for *acme*',
    staticDetails: 'Two boxes, to be **wrapped**',
  });
  const payment = await client.workflow.start(workflows.payment, start(IDS.declined));
  const approval = await client.workflow.start(workflows.approval, {
    ...start(IDS.approval),
    args: [{ id: '1003', items: ['ink'] }],
    typedSearchAttributes: [{ key: CUSTOMER, value: 'globex' }],
  });
  const carrier = await client.workflow.start(workflows.carrierBooking, start(IDS.carrier));
  const exporting = await client.workflow.start(workflows.nightlyExport, start(IDS.exporting));
  const household = await client.workflow.start(workflows.household, start(IDS.household));
  const schedule = await client.schedule.create({
    scheduleId: SCHEDULE,
    spec: { calendars: [{ dayOfWeek: 'MONDAY', hour: 6, comment: 'before the meeting' }] },
    action: { type: 'startWorkflow', workflowType: workflows.report, args: ['weekly'], taskQueue: TASK_QUEUE },
    policies: { overlap: ScheduleOverlapPolicy.SKIP },
    state: { note: 'for the board' },
    memo: { owner: 'finance' },
  });

  await approval.executeUpdate(workflows.setPriority, { args: [3] });
  await order.result();
  await payment.result().catch((error: unknown) => {
    if (!(error instanceof WorkflowFailedError)) throw error;
  });
  await until(
    async () => (await pending(carrier))?.attempt,
    (attempt) => Number(attempt) >= 2,
  );
  await until(
    async () => (await pending(exporting))?.heartbeatDetails,
    (details) => details != null,
  );
  await until(
    async () => (await household.describe()).raw.pendingChildren?.filter(({ runId }) => runId).length,
    (started) => started === 2,
  );
  await schedule.trigger();
  await until(
    async () => (await schedule.describe()).info.recentActions.length,
    (actions) => actions === 1,
  );
}

type Handle = Awaited<ReturnType<Client['workflow']['start']>>;

const pending = async (handle: Pick<Handle, 'describe'>) => (await handle.describe()).raw.pendingActivities?.[0];

async function until<T>(read: () => Promise<T>, done: (value: T) => boolean): Promise<void> {
  for (const limit = Date.now() + STATE_LIMIT_MS; !done(await read());) {
    if (Date.now() > limit)
      throw new Error(`The scene is not set within ${STATE_LIMIT_MS / 1000} s: ${read.toString()}`);
    await new Promise((wait) => setTimeout(wait, 200));
  }
}

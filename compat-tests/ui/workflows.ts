/** The workflows that the pages are to show: an order with all that a history can hold, and some that wait, fail and try again. */
import {
  ApplicationFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  executeChild,
  ParentClosePolicy,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type * as activities from './activities';

const { charge, pack, callCarrier, exportRows } = proxyActivities<typeof activities>({
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '10 minutes',
  retry: { initialInterval: '1s', backoffCoefficient: 2 },
});
const { price } = proxyLocalActivities<typeof activities>({ startToCloseTimeout: '10s' });

export interface Order {
  id: string;
  items: string[];
}

export const approve = defineSignal<[string]>('approve');
export const status = defineQuery<string>('status');
export const setPriority = defineUpdate<string, [number]>('setPriority');

/** Activities, a local one, a timer and a child, then a result. */
export async function orderFulfilment(order: Order): Promise<string> {
  const total = await price(order.items.length);
  const receipt = await charge(order.id, total);
  upsertSearchAttributes({ OrderTotal: [total] });
  await sleep('10ms', { summary: 'let the warehouse breathe' });
  const parcels = await Promise.all(order.items.map((item) => pack(item)));
  const shipped = await executeChild(shipment, {
    workflowId: `${workflowInfo().workflowId}/shipment`,
    args: [parcels],
  });
  return `${receipt}: ${shipped}`;
}

export async function shipment(parcels: string[]): Promise<string> {
  await sleep('10ms');
  return `shipped ${parcels.length} parcels`;
}

/** Waits for a signal; answers a query; an update sets its priority. */
export async function approval(order: Order): Promise<string> {
  let approvedBy: string | undefined;
  let priority = 0;
  setHandler(approve, (who) => void (approvedBy = who), { description: 'Approves the order' });
  setHandler(status, () => `${order.id} waits, priority ${priority}`, { description: 'Where the order stands' });
  setHandler(
    setPriority,
    (value) => {
      priority = value;
      return `priority ${value}`;
    },
    {
      description: 'Moves the order in the queue',
      validator: (value) => {
        if (value < 0) throw ApplicationFailure.nonRetryable('A priority is not negative');
      },
    },
  );
  setCurrentDetails(`Order **${order.id}** waits for its approval.`);
  await condition(() => approvedBy !== undefined);
  return `approved by ${approvedBy}`;
}

/** Its activity fails until somebody changes the world. */
export async function carrierBooking(): Promise<void> {
  await callCarrier();
}

/** Its activity goes on and sends heartbeats. */
export async function nightlyExport(): Promise<void> {
  await exportRows();
}

export async function payment(): Promise<void> {
  throw ApplicationFailure.create({
    message: 'The card was declined',
    type: 'CardDeclined',
    nonRetryable: true,
    details: [{ code: 51 }],
  });
}

/** Two children that wait, side by side. */
export async function household(): Promise<string> {
  const children = await Promise.all(
    ['first', 'second'].map((name) =>
      startChild(approval, {
        workflowId: `${workflowInfo().workflowId}/${name}`,
        args: [{ id: name, items: [] }],
        parentClosePolicy: ParentClosePolicy.TERMINATE,
      }),
    ),
  );
  return (await Promise.all(children.map((child) => child.result()))).join(', ');
}

/** What the schedule starts. */
export async function report(kind: string): Promise<string> {
  return `report ${kind}`;
}

/** Activities of the workflows on the pages. */
import { ApplicationFailure, Context } from '@temporalio/activity';

export async function price(items: number): Promise<number> {
  return items * 21;
}

export async function charge(order: string, amount: number): Promise<string> {
  return `receipt ${order}/${amount}`;
}

export async function pack(item: string): Promise<string> {
  return `a box of ${item}`;
}

export async function callCarrier(): Promise<void> {
  throw ApplicationFailure.create({ message: 'The carrier does not answer', type: 'CarrierDown' });
}

/** Until it is cancelled or the worker ends. */
export async function exportRows(): Promise<void> {
  const context = Context.current();
  for (let rows = 100; ; rows += 100) {
    context.heartbeat({ rows });
    await context.sleep(500);
  }
}

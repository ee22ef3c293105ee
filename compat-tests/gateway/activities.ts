/** Activities of the gateway's tests: those of the worker's own tests, and one that the test opens. */
import { Context } from '@temporalio/activity';

export * from '../../test/support/activities';

const gates = new Map<string, () => void>();
const arrivals = new Map<string, () => void>();

/** Waits until the test opens it, or the worker shuts down. */
export function gate(name: string): Promise<void> {
  const opened = new Promise<void>((resolve) => {
    gates.set(name, resolve);
    arrivals.get(name)?.();
  });
  return Promise.race([opened, Context.current().cancelled]);
}

/** The activity of that name has started. */
export function arrived(name: string): Promise<void> {
  return new Promise((resolve) => {
    if (gates.has(name)) resolve();
    else arrivals.set(name, resolve);
  });
}

export function open(name: string): void {
  gates.get(name)?.();
  gates.delete(name);
}

/** Activities of the gateway's tests: those of the worker's own tests, and one that the test opens. */
export * from '../../test/support/activities';

const gates = new Map<string, () => void>();
const arrivals = new Map<string, () => void>();

/** Waits until the test opens it. */
export function gate(name: string): Promise<void> {
  return new Promise((resolve) => {
    gates.set(name, resolve);
    arrivals.get(name)?.();
  });
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

/** Activities of the recorded workflows. */
import { ApplicationFailure, Context, sleep } from '@temporalio/activity';

const attempts = new Map<string, number>();

export const activities = {
  async echo(value: string): Promise<string> {
    return value;
  },
  async wait(ms: number): Promise<string> {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return `waited ${ms}`;
  },
  async cancellableWait(ms: number): Promise<string> {
    await sleep(ms);
    return `waited ${ms}`;
  },
  async failTwice(key: string): Promise<string> {
    const attempt = (attempts.get(key) ?? 0) + 1;
    attempts.set(key, attempt);
    if (attempt < 3) throw new Error(`attempt ${attempt}`);
    return `attempt ${attempt}`;
  },
  async failAlways(message: string): Promise<never> {
    throw ApplicationFailure.nonRetryable(message, 'Always', { detail: true });
  },
  /** Heartbeats until it is cancelled or the time is over. */
  async heartbeating(ms: number): Promise<string> {
    const end = Date.now() + ms;
    while (Date.now() < end) {
      Context.current().heartbeat('beat');
      await sleep(100);
    }
    return 'not cancelled';
  },
  async terminate(workflowId: string): Promise<void> {
    await sleep(300);
    await Context.current().client.workflow.getHandle(workflowId).terminate('as asked');
  },
};

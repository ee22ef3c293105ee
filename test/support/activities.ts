/** Activities of the worker's tests. */
import {
  activityInfo,
  ApplicationFailure,
  CancelledFailure,
  CompleteAsyncError,
  Context,
  getClient,
  heartbeat,
  sleep,
} from '@temporalio/activity';

export async function greet(name: string): Promise<string> {
  return `Hello, ${name}!`;
}

export async function echo(value: number): Promise<number> {
  return value;
}

const attempts = new Map<string, number>();

export async function flaky(key: string, failures: number): Promise<string> {
  const attempt = (attempts.get(key) ?? 0) + 1;
  attempts.set(key, attempt);
  if (attempt <= failures) throw new Error(`attempt ${attempt} fails`);
  return `attempt ${attempt}, info ${activityInfo().attempt}`;
}

export const cancellations: { reason: string; details: unknown }[] = [];

export async function heartbeatUntilCancelled(): Promise<void> {
  try {
    for (;;) {
      heartbeat('alive');
      await sleep(50);
    }
  } catch (error) {
    if (error instanceof CancelledFailure) {
      cancellations.push({ reason: error.message, details: Context.current().cancellationDetails });
    }
    throw error;
  }
}

export async function resumeFromHeartbeat(): Promise<unknown> {
  const { attempt, heartbeatDetails } = activityInfo();
  if (attempt === 1) {
    heartbeat({ progress: 1 });
    heartbeat({ progress: 2 });
    throw new Error('fails after heartbeats');
  }
  return heartbeatDetails as unknown;
}

export const tokens: Uint8Array[] = [];

export async function completeLater(): Promise<string> {
  tokens.push(activityInfo().taskToken);
  throw new CompleteAsyncError();
}

export async function failWith(kind: string): Promise<void> {
  if (kind === 'nonRetryable') throw ApplicationFailure.nonRetryable('no use', 'Useless', 1, 'two');
  throw new TypeError(kind);
}

export async function slow(ms: number): Promise<string> {
  await sleep(ms);
  return 'slow';
}

export async function details(input: string): Promise<unknown> {
  const info = activityInfo();
  const described = await getClient().workflow.getHandle(info.workflowExecution!.workflowId).describe();
  return { ...info, taskToken: undefined, base64TaskToken: undefined, input, type: described.type };
}

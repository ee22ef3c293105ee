/**
 * Workflow code of workers whose children may live on other engines (option `across` of createWorkers). A child is started as ever, on the engine of its
 * parent; there its first step is to ask where it belongs. When that is elsewhere it runs none of its own code: it starts the workflow there, under the same id, passes on
 * signals and cancellation, and ends as that one ends. Signals to ids that are not here go through the router.
 */
import {
  ActivityCancellationType,
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setDefaultSignalHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type {
  Next,
  SignalWorkflowInput,
  WorkflowExecuteInput,
  WorkflowInboundCallsInterceptor,
  WorkflowInterceptors,
  WorkflowOutboundCallsInterceptor,
} from '@temporalio/workflow';
import { CANCEL, type CancelInput, SIGNAL, type SignalInput } from '../elsewhere/names';
import { AWAIT, type AwaitInput, FAILED, START, type StartInput, WHERE, type WhereInput } from './names';

interface Calls {
  [WHERE](input: WhereInput): Promise<string>;
  [START](input: StartInput): Promise<string>;
  [AWAIT](input: AwaitInput): Promise<unknown>;
  [SIGNAL](input: SignalInput): Promise<void>;
  [CANCEL](input: CancelInput): Promise<void>;
}

/** Histories from before `across` was given are replayed without it. */
const PATCH = 'branchline-across';

const retry = { maximumInterval: '10 s' } as const;
const asking = (): Calls => proxyLocalActivities<Calls>({ startToCloseTimeout: '10 s', retry });
const quick = (): Calls => proxyActivities<Calls>({ startToCloseTimeout: '15 s', retry });
const long = (): Calls =>
  proxyActivities<Calls>({
    startToCloseTimeout: '3650 days',
    heartbeatTimeout: '30 s',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry,
  });

export const interceptors = (): WorkflowInterceptors => ({
  inbound: [{ execute }],
  outbound: [{ signalWorkflow }],
});

async function execute(
  input: WorkflowExecuteInput,
  next: Next<WorkflowInboundCallsInterceptor, 'execute'>,
): Promise<unknown> {
  const { parent, workflowId, runId, workflowType, taskQueue, continuedFromExecutionRunId } = workflowInfo();
  if (parent === undefined || !patched(PATCH)) return next(input);
  const follows = continuedFromExecutionRunId !== undefined;
  const engine = await CancellationScope.nonCancellable(() =>
    asking()[WHERE]({ workflowId, runId, workflowType, taskQueue, follows }),
  );
  return engine === '' ? next(input) : stand(engine);
}

/** Stands for the workflow that is on `engine`. */
async function stand(engine: string): Promise<unknown> {
  const { workflowId, runId } = workflowInfo();
  const stub = { workflowId, runId };
  const started = CancellationScope.nonCancellable(() => quick()[START]({ ...stub, engine }));
  // One after the other, as they came.
  let signals: Promise<unknown> = started;
  setDefaultSignalHandler((signalName, ...args) => {
    signals = signals.then(() =>
      CancellationScope.nonCancellable(() => quick()[SIGNAL]({ workflowId, signalName, args })).catch(unlessClosed),
    );
    return signals as Promise<void>;
  });
  const startedRunId = await started;
  const awaited = { ...stub, startedRunId };
  try {
    return await outcome(long()[AWAIT](awaited));
  } catch (error) {
    if (!(error instanceof Unknown)) throw error;
    // The activity was cancelled before it began, or its worker died when it was: a cancelled activity has no other attempt.
    return await CancellationScope.nonCancellable(async () => {
      await quick()[CANCEL]({ workflowId, how: 'requestCancel', mayBeGone: true });
      return outcome(long()[AWAIT](awaited));
    });
  } finally {
    await signals.catch(() => undefined);
  }
}

/** It is not known how the workflow ended, or whether it did. */
class Unknown extends Error {}

async function outcome(awaited: Promise<unknown>): Promise<unknown> {
  try {
    return await awaited;
  } catch (error) {
    const failure = error instanceof ActivityFailure ? error.cause : undefined;
    if (!(failure instanceof ApplicationFailure) || failure.type !== FAILED) throw new Unknown();
    throw failure.cause ?? failure;
  }
}

/** The workflow has closed meanwhile: nobody is there to hear it, as with a child. */
function unlessClosed(error: unknown): void {
  const failure = error instanceof ActivityFailure ? error.cause : undefined;
  if (!(failure instanceof ApplicationFailure) || failure.type !== 'WorkflowNotFoundError') throw error;
}

async function signalWorkflow(
  input: SignalWorkflowInput,
  next: Next<WorkflowOutboundCallsInterceptor, 'signalWorkflow'>,
): Promise<void> {
  try {
    return await next(input);
  } catch (error) {
    const { target, signalName, args } = input;
    const missing = error instanceof Error && error.message.endsWith('because it was not found');
    if (!missing || target.type !== 'external' || !patched(PATCH)) throw error;
    const { workflowId } = target.workflowExecution;
    if (typeof workflowId !== 'string') throw error;
    await quick()[SIGNAL]({ workflowId, signalName, args: [...args] });
  }
}

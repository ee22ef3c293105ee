/**
 * For workflow code: reaching workflows that may be on another engine. `signalWithStart`, children and external handles of `@temporalio/workflow` stay on the
 * engine of the workflow that uses them; these go through activities ({@link routedActivities}, which the workers must have) and a routed connection.
 * @module
 */
import {
  ActivityCancellationType,
  CancellationScope,
  type SignalDefinition,
  proxyActivities,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import { CANCEL, type CancelInput, EXECUTE, type ExecuteInput, SIGNAL, type SignalInput } from './elsewhere/names';

interface Calls {
  [SIGNAL](input: SignalInput): Promise<void>;
  [CANCEL](input: CancelInput): Promise<void>;
  [EXECUTE](input: ExecuteInput): Promise<unknown>;
}

const quick = (): Calls => proxyActivities<Calls>({ startToCloseTimeout: '30 s', retry: { maximumInterval: '10 s' } });
const long = (): Calls =>
  proxyActivities<Calls>({
    startToCloseTimeout: '3650 days',
    heartbeatTimeout: '30 s',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { maximumInterval: '10 s' },
  });

/**
 * Signals a workflow wherever it is; it arrives once, whatever dies on the way.
 * @throws ActivityFailure with an ApplicationFailure of type WorkflowNotFoundError when no engine has it open
 */
export async function signalElsewhere<Args extends unknown[]>(
  workflowId: string,
  signal: string | SignalDefinition<Args>,
  ...args: Args
): Promise<void> {
  await quick()[SIGNAL]({ workflowId, signalName: typeof signal === 'string' ? signal : signal.name, args });
}

/** Requests the cancellation of a workflow wherever it is. @throws as {@link signalElsewhere} */
export async function cancelElsewhere(workflowId: string): Promise<void> {
  await quick()[CANCEL]({ workflowId, how: 'requestCancel', mayBeGone: false });
}

export interface ExecuteElsewhereOptions {
  args?: unknown[];
  /** Default: that of the calling workflow. */
  taskQueue?: string;
  /** Must never have been used. Default: a new UUID. */
  workflowId?: string;
  /**
   * What becomes of it when this call is cancelled, whatever dies meanwhile; and when the calling workflow closes without waiting for it, which only its
   * running activity notices: if that one's worker dies in the same moment, it stays open. Default `requestCancel`.
   */
  onCancel?: ExecuteInput['onCancel'];
}

/**
 * Starts a workflow on the engine that the routes say, and waits for its result, as a child would give it.
 * @throws ActivityFailure: with the workflow's failure as cause, or an ApplicationFailure of type WorkflowExecutionAlreadyStartedError when the id was used
 */
export async function executeElsewhere<R = unknown>(
  workflowType: string,
  { args = [], taskQueue, workflowId = uuid4(), onCancel = 'requestCancel' }: ExecuteElsewhereOptions = {},
): Promise<R> {
  const queue = taskQueue ?? workflowInfo().taskQueue;
  try {
    return (await long()[EXECUTE]({ workflowType, args, taskQueue: queue, workflowId, onCancel })) as R;
  } catch (error) {
    // The activity has done it, unless its worker died just then: a cancelled activity has no other attempt.
    if (onCancel !== 'abandon' && CancellationScope.current().consideredCancelled) {
      await CancellationScope.nonCancellable(() => quick()[CANCEL]({ workflowId, how: onCancel, mayBeGone: true }));
    }
    throw error;
  }
}

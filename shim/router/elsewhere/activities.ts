/** The activities behind `branchline/router/workflow`: calls to workflows on whichever engine, each done once however often it is tried. */
import { Context, activityInfo } from '@temporalio/activity';
import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { encodeToPayloads } from '@temporalio/common/lib/internal-non-workflow';
import { Code, isStatus } from '../errors';
import { CANCEL, type CancelInput, EXECUTE, type ExecuteInput, SIGNAL, type SignalInput } from './names';

const HEARTBEAT_MS = 5000;
/** In the memo of a workflow that was started from elsewhere: by which activity. */
const STARTED_BY = 'branchlineStartedBy';

/**
 * Give them to the workers (beside the application's own activities) of workflows that use `branchline/router/workflow`.
 * `client`: on a RoutedConnection, with the data converter of the workers.
 */
export function routedActivities(client: Client): Record<string, (input: never) => Promise<unknown>> {
  return {
    [SIGNAL]: async ({ workflowId, signalName, args }: SignalInput): Promise<void> => {
      const { loadedDataConverter, namespace, identity } = client.options;
      const payloads = await encodeToPayloads(loadedDataConverter, ...args);
      await onceFound(workflowId, () =>
        client.workflowService.signalWorkflowExecution({
          namespace,
          identity,
          workflowExecution: { workflowId },
          // The same in each attempt: engines take a signal with a known request id for the one that they have.
          requestId: caller(),
          signalName,
          input: { payloads },
        }),
      );
    },
    [CANCEL]: async ({ workflowId, how, mayBeGone }: CancelInput): Promise<void> => {
      const { namespace, identity } = client.options;
      const request = { namespace, identity, workflowExecution: { workflowId } };
      const end = (): Promise<unknown> =>
        how === 'terminate'
          ? client.workflowService.terminateWorkflowExecution({ ...request, reason: 'its caller is cancelled' })
          : client.workflowService.requestCancelWorkflowExecution({ ...request, requestId: caller() });
      if (mayBeGone) await end().catch(unlessGone);
      else await onceFound(workflowId, end);
    },
    [EXECUTE]: (input: ExecuteInput): Promise<unknown> => execute(client, input),
  };
}

/** This activity among all: the same for each of its attempts. */
function caller(): string {
  const { workflowExecution, activityId } = activityInfo();
  return `${workflowExecution?.runId ?? ''}/${activityId}`;
}

async function onceFound(workflowId: string, call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!isStatus(error, Code.NOT_FOUND)) throw error;
    throw ApplicationFailure.nonRetryable(`${workflowId}: ${(error as Error).message}`, WorkflowNotFoundError.name);
  }
}

async function execute(client: Client, input: ExecuteInput): Promise<unknown> {
  const handle = await startOnce(client, input);
  const beating = setInterval(() => Context.current().heartbeat(), HEARTBEAT_MS);
  const result = handle.result();
  result.catch(() => undefined);
  try {
    return await Promise.race([result, Context.current().cancelled]);
  } catch (error) {
    if (error instanceof WorkflowFailedError) throw failureOf(error);
    if (!(error instanceof CancelledFailure)) throw error;
    if (input.onCancel === 'abandon') throw error;
    await (input.onCancel === 'terminate' ? handle.terminate('the caller is cancelled') : handle.cancel()).catch(
      unlessGone,
    );
    await result.catch(() => undefined);
    throw error;
  } finally {
    clearInterval(beating);
  }
}

async function startOnce(client: Client, input: ExecuteInput): Promise<WorkflowHandle> {
  const startedBy = caller();
  const { workflowType, taskQueue, args, workflowId } = input;
  try {
    return await client.workflow.start(workflowType, {
      workflowId,
      taskQueue,
      args,
      memo: { [STARTED_BY]: startedBy },
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const { memo, runId, raw } = await client.workflow.getHandle(workflowId).describe();
    // An attempt before this one did it. It may be in a later run by now.
    const firstExecutionRunId = raw.workflowExecutionInfo?.firstRunId || runId;
    if (memo?.[STARTED_BY] === startedBy)
      return client.workflow.getHandle(workflowId, undefined, { firstExecutionRunId });
    throw ApplicationFailure.nonRetryable(
      `${workflowId} was started by others`,
      WorkflowExecutionAlreadyStartedError.name,
    );
  }
}

/** The workflow failed, and would again: no more attempts. */
function failureOf({ cause, message }: WorkflowFailedError): ApplicationFailure {
  const of = cause instanceof ApplicationFailure ? cause : undefined;
  return ApplicationFailure.create({
    message: cause?.message ?? message,
    type: of?.type ?? cause?.name ?? 'WorkflowFailedError',
    details: of?.details ?? [],
    nonRetryable: true,
    ...(cause === undefined ? {} : { cause }),
  });
}

export function unlessGone(error: unknown): void {
  if (!(error instanceof WorkflowNotFoundError) && !isStatus(error, Code.NOT_FOUND)) throw error;
}

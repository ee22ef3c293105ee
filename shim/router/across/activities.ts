/** The activities behind children on other engines, for the worker of one engine. */
import { Context } from '@temporalio/activity';
import { type Client, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import { BranchlineOptionError } from '../../common/errors';
import { RoutedConnection } from '../connection';
import { unlessGone } from '../elsewhere/activities';
import { Code, isStatus } from '../errors';
import { isOpen } from '../owners';
import {
  AWAIT,
  type AwaitInput,
  FAILED,
  START,
  STAND_IN_CLOSED,
  type StartInput,
  type Stub,
  WHERE,
  type WhereInput,
  standInIdentity,
} from './names';

type Started = temporal.api.history.v1.IWorkflowExecutionStartedEventAttributes;

const HEARTBEAT_MS = 5000;
/** WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE */
const ALLOW_DUPLICATE = 1;

/**
 * `here`: the worker's engine, by its name in the routed connection.
 * @throws BranchlineOptionError for a client that is not on a routed connection
 */
export function acrossActivities(
  client: Client,
  here: string,
  namespace: string,
): Record<string, (input: never) => Promise<unknown>> {
  const { connection } = client;
  if (!(connection instanceof RoutedConnection)) {
    throw new BranchlineOptionError('across', 'give a Client on a RoutedConnection.');
  }
  const engine = connection.engine(here);

  /** How the stub was started, bytes and all. */
  const started = async ({ workflowId, runId }: Stub): Promise<Started> => {
    const { history } = await engine.workflowService.getWorkflowExecutionHistory({
      namespace,
      execution: { workflowId, runId },
      maximumPageSize: 1,
    });
    return history?.events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
  };
  const stubRuns = async ({ workflowId, runId }: Stub): Promise<boolean> => {
    try {
      const execution = { workflowId, runId };
      const { workflowExecutionInfo } = await engine.workflowService.describeWorkflowExecution({
        namespace,
        execution,
      });
      return isOpen(workflowExecutionInfo?.status ?? 0);
    } catch (error) {
      if (isStatus(error, Code.NOT_FOUND)) return false;
      throw error;
    }
  };

  return {
    [WHERE]: async ({ workflowId, runId, workflowType, taskQueue, follows }: WhereInput): Promise<string> => {
      if (follows) {
        const owner = await connection.engineOf(client.options.namespace, workflowId);
        return owner === undefined || owner === here ? '' : owner;
      }
      const facts = {
        namespace: client.options.namespace,
        workflowId,
        workflowType: { name: workflowType },
        taskQueue: { name: taskQueue },
      };
      const wanted = await connection.engineOfChild(facts, async () => {
        const { memo, searchAttributes, header } = await started({ workflowId, runId });
        return { ...facts, memo, searchAttributes, header };
      });
      return wanted === undefined || wanted === here ? '' : wanted;
    },
    [START]: async ({ workflowId, runId, engine: to }: StartInput): Promise<string> => {
      const of = await started({ workflowId, runId });
      return connection.startChild(
        to,
        {
          namespace: client.options.namespace,
          identity: standInIdentity(runId),
          workflowId,
          workflowType: of.workflowType,
          taskQueue: { name: of.taskQueue?.name },
          input: of.input,
          header: of.header,
          memo: of.memo,
          searchAttributes: of.searchAttributes,
          workflowExecutionTimeout: of.workflowExecutionTimeout,
          workflowRunTimeout: of.workflowRunTimeout,
          workflowTaskTimeout: of.workflowTaskTimeout,
          priority: of.priority,
          // Earlier runs were judged where the child was started.
          workflowIdReusePolicy: ALLOW_DUPLICATE,
          // The same in each attempt: the engine takes it for the start that it has done.
          requestId: runId,
        },
        { runId, engine: here },
      );
    },
    [AWAIT]: async ({ workflowId, runId, startedRunId }: AwaitInput): Promise<unknown> => {
      const handle = client.workflow.getHandle(workflowId, startedRunId);
      const beating = setInterval(() => Context.current().heartbeat(), HEARTBEAT_MS);
      const result = handle.result();
      result.catch(() => undefined);
      try {
        return await Promise.race([result, Context.current().cancelled]);
      } catch (error) {
        if (!(error instanceof CancelledFailure)) throw outcomeOf(error);
        // Whichever run of it is open now: the one that was started may have continued as new.
        const chain = client.workflow.getHandle(workflowId, undefined, { firstExecutionRunId: startedRunId });
        await endWith(chain, await stubRuns({ workflowId, runId }));
        return await result.catch((ended: unknown) => {
          throw outcomeOf(ended);
        });
      } finally {
        clearInterval(beating);
      }
    },
  };
}

/** The stub is asked to cancel itself, or it has been terminated: by its parent-close policy, or by hand. */
async function endWith(handle: WorkflowHandle, stubRuns: boolean): Promise<void> {
  await (stubRuns ? handle.cancel() : handle.terminate(STAND_IN_CLOSED)).catch(unlessGone);
}

/** How the workflow failed, for the stub to fail alike; other errors are the call's own and tried again. */
function outcomeOf(error: unknown): unknown {
  if (!(error instanceof WorkflowFailedError)) return error;
  return ApplicationFailure.create({
    message: error.message,
    type: FAILED,
    nonRetryable: true,
    ...(error.cause === undefined ? {} : { cause: error.cause }),
  });
}

/**
 * Ends workflows whose stand-in was terminated while no worker was there to notice: by its parent-close policy, or by hand. A stand-in that ended by itself
 * has seen to its workflow.
 */
import type { Logger } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import type { StandIn, StandInStore } from '../../store/stand-in-types';
import type { Engines } from '../engines';
import { Code, isStatus } from '../errors';
import { isMissingNamespace } from '../namespaces';
import { isOpen } from '../owners';
import { STAND_IN_CLOSED, standInIdentity } from './names';

const LOOK_EVERY_MS = 15_000;
const AT_ONCE = 200;
const ASK_MS = 3000;
/** WORKFLOW_EXECUTION_STATUS_TERMINATED, …_TIMED_OUT */
const ENDED_BY_OTHERS: ReadonlySet<number> = new Set([5, 7]);

export class StandInSweeper {
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;

  constructor(
    private readonly engines: Engines,
    private readonly store: StandInStore,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.timer = setInterval(() => void this.look(LOOK_EVERY_MS), LOOK_EVERY_MS);
    this.timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
  }

  /** One look at a time, at those that nobody looked at for that long; never throws. */
  look(everyMs: number): Promise<void> {
    return (this.looking ??= this.lookOnce(everyMs)
      .catch((error: unknown) => this.logger.warn('Stand-ins of children could not be looked at', { error }))
      .finally(() => (this.looking = undefined)));
  }

  private async lookOnce(everyMs: number): Promise<void> {
    for (const standIn of await this.store.look(everyMs, AT_ONCE)) {
      const { engine, startedOn, workflowId } = standIn;
      if (!this.engines.names.includes(engine) || !this.engines.names.includes(startedOn)) continue;
      try {
        await this.lookAt(standIn);
      } catch (error) {
        this.logger.warn(`Whether ${workflowId} on ${startedOn} has lost its stand-in cannot be settled yet`, {
          error,
        });
      }
    }
  }

  private async lookAt(standIn: StandIn): Promise<void> {
    const { engine, namespace, workflowId, runId, startedOn, startedRunId } = standIn;
    // 0 = past retention: it was closed for long.
    const status = await this.status(engine, namespace, { workflowId, runId });
    if (isOpen(status)) return;
    if (status === 0 || ENDED_BY_OTHERS.has(status)) {
      const firstExecutionRunId = startedRunId ?? (await this.startedBy(standIn));
      if (firstExecutionRunId !== undefined)
        await this.terminate(startedOn, namespace, workflowId, firstExecutionRunId);
    }
    await this.store.drop(runId);
  }

  /** The run that the stand-in has started, when the answer to that was lost. */
  private async startedBy({ startedOn, namespace, workflowId, runId }: StandIn): Promise<string | undefined> {
    try {
      const { history } =
        await this.engines.callWithin<temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryResponse>(
          startedOn,
          'getWorkflowExecutionHistory',
          { namespace, execution: { workflowId }, maximumPageSize: 1 },
          ASK_MS,
        );
      const started = history?.events?.[0]?.workflowExecutionStartedEventAttributes;
      return started?.identity === standInIdentity(runId) ? (started.firstExecutionRunId ?? undefined) : undefined;
    } catch (error) {
      if (isStatus(error, Code.NOT_FOUND)) return undefined;
      throw error;
    }
  }

  private async status(
    engine: string,
    namespace: string,
    execution: temporal.api.common.v1.IWorkflowExecution,
  ): Promise<number> {
    try {
      const answer = await this.engines.callWithin<temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse>(
        engine,
        'describeWorkflowExecution',
        { namespace, execution },
        ASK_MS,
      );
      return answer.workflowExecutionInfo?.status ?? 0;
    } catch (error) {
      if (isStatus(error, Code.NOT_FOUND) && !isMissingNamespace(error)) return 0;
      throw error;
    }
  }

  private async terminate(
    engine: string,
    namespace: string,
    workflowId: string,
    firstExecutionRunId: string,
  ): Promise<void> {
    const request = { namespace, workflowExecution: { workflowId }, firstExecutionRunId, reason: STAND_IN_CLOSED };
    try {
      await this.engines.callWithin(engine, 'terminateWorkflowExecution', request, ASK_MS);
    } catch (error) {
      if (!isStatus(error, Code.NOT_FOUND)) throw error;
    }
  }
}

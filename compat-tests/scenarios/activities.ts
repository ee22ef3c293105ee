/** Activities of all scenarios, made once per engine, so that what they remember is that engine's. */
import {
  activityInfo,
  ApplicationFailure,
  CancelledFailure,
  CompleteAsyncError,
  Context,
  heartbeat,
  sleep,
} from '@temporalio/activity';
import { ApplicationFailureCategory } from '@temporalio/common';

export type Activities = ReturnType<typeof createActivities>;

export function createActivities() {
  return {
    async echo<T>(value: T): Promise<T> {
      return value;
    },

    async nothing(): Promise<void> {},

    /** Fails in the first attempts. */
    async failTimes(failures: number): Promise<string> {
      const { attempt } = activityInfo();
      if (attempt <= failures) throw ApplicationFailure.create({ message: `attempt ${attempt} fails`, type: 'Flaky' });
      return `attempt ${attempt}`;
    },

    async throwError(kind: 'Error' | 'TypeError' | 'nested' | 'string'): Promise<void> {
      if (kind === 'TypeError') throw new TypeError('a type error');
      if (kind === 'nested') throw new Error('outer', { cause: new RangeError('inner') });
      if (kind === 'string') throw 'not an error';
      throw new Error('a plain error');
    },

    async throwApplicationFailure(options: {
      message?: string;
      type?: string;
      nonRetryable?: boolean;
      details?: unknown[];
      nextRetryDelay?: number;
      benign?: boolean;
    }): Promise<void> {
      const { benign, ...rest } = options;
      throw ApplicationFailure.create({ ...rest, ...(benign && { category: ApplicationFailureCategory.BENIGN }) });
    },

    async sleepFor(ms: number): Promise<string> {
      await sleep(ms);
      return 'slept';
    },

    /** Does not heed cancellation and does not end before the time is over. */
    async busy(ms: number): Promise<string> {
      await new Promise((resolve) => setTimeout(resolve, ms));
      return 'busy';
    },

    async beat(beats: number, everyMs: number): Promise<string> {
      for (let i = 1; i <= beats; i++) {
        heartbeat(i);
        await sleep(everyMs);
      }
      return 'beaten';
    },

    /** One heartbeat, then silence. */
    async beatOnceThenHang(ms: number): Promise<unknown> {
      const { attempt, heartbeatDetails } = activityInfo();
      if (attempt > 1) return { attempt, heartbeatDetails: heartbeatDetails as unknown };
      heartbeat('first');
      await new Promise((resolve) => setTimeout(resolve, ms));
      return 'too late';
    },

    async untilCancelled(answer: 'throw' | 'result' | 'fail'): Promise<unknown> {
      try {
        for (;;) {
          heartbeat('alive');
          await sleep(50);
        }
      } catch (error) {
        if (!(error instanceof CancelledFailure)) throw error;
        if (answer === 'result') return 'finished anyway';
        if (answer === 'fail') throw ApplicationFailure.nonRetryable('cleanup failed', 'Cleanup');
        throw error;
      }
    },

    async info(): Promise<unknown> {
      const { attempt, activityId, activityType, taskQueue, workflowType, isLocal, heartbeatTimeoutMs, priority } =
        activityInfo();
      const { startToCloseTimeoutMs, scheduleToCloseTimeoutMs, retryPolicy } = activityInfo();
      return {
        attempt,
        activityId,
        activityType,
        taskQueue,
        workflowType,
        isLocal,
        heartbeatTimeoutMs,
        priority,
        startToCloseTimeoutMs,
        scheduleToCloseTimeoutMs,
        retryPolicy,
      };
    },

    /** Every field; tokens and times as kinds. */
    async everyActivityInfo(): Promise<unknown> {
      const entries = Object.entries(activityInfo()).map(([name, value]) => [
        name,
        name === 'taskToken' || name === 'base64TaskToken' || name.endsWith('TimestampMs') ? typeof value : value,
      ]);
      return Object.fromEntries(entries) as Record<string, unknown>;
    },

    /** Completed from outside. */
    async completedElsewhere(): Promise<string> {
      Context.current();
      throw new CompleteAsyncError();
    },
  };
}

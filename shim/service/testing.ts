/** Temporal's TestService: the clock of an environment that skips time. Refused everywhere else. */
import type { temporal } from '@temporalio/proto';
import { fromMs, ms } from '../common/proto-values';
import type { TimeSkipping } from '../maintenance/time-skipping';
import type { Store } from '../store/types';
import { Code, ServiceError } from './errors';
import type { CallContext } from './types';

type SleepRequest = temporal.api.testservice.v1.ISleepRequest;
type SleepUntilRequest = temporal.api.testservice.v1.ISleepUntilRequest;
type CurrentTime = temporal.api.testservice.v1.IGetCurrentTimeResponse;

const REFUSAL = 'Only environments made by TestWorkflowEnvironment.createTimeSkipping have a clock that can be moved.';

export function testingRpcs(store: Pick<Store, 'nowMs'>, skipping: TimeSkipping | null) {
  const clock = (): TimeSkipping => {
    if (skipping === null) throw new ServiceError(Code.UNIMPLEMENTED, REFUSAL);
    return skipping;
  };
  const sleep = (request: SleepRequest, ctx: CallContext): Promise<void> =>
    clock().sleepUntil(store.nowMs() + ms(request.duration), ctx.signal);
  return {
    lockTimeSkipping: async (): Promise<object> => {
      clock().lock();
      return {};
    },
    unlockTimeSkipping: async (): Promise<object> => {
      clock().unlock();
      return {};
    },
    sleep: async (request: SleepRequest, ctx: CallContext): Promise<object> => {
      await sleep(request, ctx);
      return {};
    },
    sleepUntil: async (request: SleepUntilRequest, ctx: CallContext): Promise<object> => {
      await clock().sleepUntil(ms(request.timestamp), ctx.signal);
      return {};
    },
    unlockTimeSkippingWithSleep: async (request: SleepRequest, ctx: CallContext): Promise<object> => {
      const skipped = clock();
      // The sleeper is there before time may move.
      const slept = sleep(request, ctx);
      skipped.unlock();
      try {
        await slept;
      } finally {
        skipped.lock();
      }
      return {};
    },
    getCurrentTime: async (): Promise<CurrentTime> => {
      clock();
      return { time: fromMs(store.nowMs()) };
    },
  };
}

/** Firing user timers. */
import { long } from '../../common/proto-values';
import { EventType } from './event-fields';
import { asRun } from './transition';
import type { TimerState, Transition } from './types';

/** Writes TimerFired. The caller schedules the workflow task. */
export function fireTimer(t: Transition, timer: TimerState): void {
  asRun(t).addEvent(EventType.EVENT_TYPE_TIMER_FIRED, {
    timerId: timer.timerId,
    startedEventId: long(timer.startedEventId),
  });
}

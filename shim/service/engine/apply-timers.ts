/** Timer events folded into `RunState.timers`. */
import { int64, ms } from '../../common/proto-values';
import type { Appliers } from './apply';
import { EventType } from './event-fields';

export const timerAppliers: Appliers = {
  [EventType.EVENT_TYPE_TIMER_STARTED]: (state, event) => {
    const attributes = event.timerStartedEventAttributes!;
    const timerId = attributes.timerId ?? '';
    const fireAtMs = ms(event.eventTime) + ms(attributes.startToFireTimeout);
    state.timers[timerId] = { timerId, startedEventId: int64(event.eventId), fireAtMs };
  },
  [EventType.EVENT_TYPE_TIMER_FIRED]: (state, event) =>
    void delete state.timers[event.timerFiredEventAttributes!.timerId ?? ''],
  [EventType.EVENT_TYPE_TIMER_CANCELED]: (state, event) =>
    void delete state.timers[event.timerCanceledEventAttributes!.timerId ?? ''],
};

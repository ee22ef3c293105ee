/** START_TIMER and CANCEL_TIMER. */
import { int64, long } from '../../../common/proto-values';
import { cappedDuration, durationProblem } from '../durations';
import { EventType } from '../event-fields';
import type { RunTransition } from '../transition';
import type { Command, HistoryEvent } from '../types';
import { hasWaitingUpdates } from '../updates';
import { byteLength, extrasOf } from './checks';
import { CommandError, TaskFailedCause } from './command-error';
import type { CommandContext } from './context';

export function startTimer(t: RunTransition, command: Command, c: CommandContext): HistoryEvent {
  const cause = TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES;
  const attributes = command.startTimerCommandAttributes;
  if (!attributes) throw new CommandError(cause, 'StartTimerCommandAttributes is not set on StartTimerCommand.');
  const timerId = checkedTimerId(t, cause, attributes.timerId, 'StartTimerCommand');
  const problem = durationProblem(attributes.startToFireTimeout);
  if (problem !== null) {
    throw new CommandError(
      cause,
      `An invalid StartToFireTimeout is set on StartTimerCommand: ${problem}. TimerId=${timerId}`,
    );
  }
  if (t.state.timers[timerId] !== undefined) {
    throw new CommandError(
      TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_START_TIMER_DUPLICATE_ID,
      `invalid history builder state for action: add-timer-started-event, TimerID: ${timerId}`,
    );
  }
  return t.addEvent(
    EventType.EVENT_TYPE_TIMER_STARTED,
    {
      timerId,
      startToFireTimeout: cappedDuration(attributes.startToFireTimeout),
      workflowTaskCompletedEventId: long(c.completedEventId),
    },
    extrasOf(command),
  );
}

export function cancelTimer(t: RunTransition, command: Command, c: CommandContext): HistoryEvent {
  const cause = TaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES;
  const attributes = command.cancelTimerCommandAttributes;
  if (!attributes) throw new CommandError(cause, 'CancelTimerCommandAttributes is not set on CancelTimerCommand.');
  const timerId = checkedTimerId(t, cause, attributes.timerId, 'CancelTimerCommand');
  let startedEventId = t.state.timers[timerId]?.startedEventId;
  if (startedEventId === undefined) {
    // It fired while the task ran and the workflow has not seen that yet: the firing never happened.
    const fired = t.removeBuffered((event) => event.timerFiredEventAttributes?.timerId === timerId);
    if (fired === undefined) {
      throw new CommandError(
        cause,
        `invalid history builder state for action: add-timer-canceled-event, TimerID: ${timerId}`,
      );
    }
    startedEventId = int64(fired.timerFiredEventAttributes!.startedEventId);
  }
  const event = t.addEvent(
    EventType.EVENT_TYPE_TIMER_CANCELED,
    {
      timerId,
      startedEventId: long(startedEventId),
      workflowTaskCompletedEventId: long(c.completedEventId),
      identity: c.identity,
    },
    extrasOf(command),
  );
  c.unhandled = c.unhandled && (t.hasBuffered || hasWaitingUpdates(t.state, true));
  return event;
}

function checkedTimerId(
  t: RunTransition,
  cause: TaskFailedCause,
  timerId: string | null | undefined,
  command: string,
): string {
  if (!timerId) throw new CommandError(cause, `TimerId is not set on ${command}.`);
  const length = byteLength(timerId);
  const limit = t.ctx.limits.idLength;
  if (length > limit) {
    throw new CommandError(
      cause,
      `TimerId on ${command} exceeds length limit. TimerId=${timerId} Length=${length} Limit=${limit}`,
    );
  }
  return timerId;
}

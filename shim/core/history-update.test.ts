import { describe, expect, it } from 'vitest';
import { HistoryBuilder } from '../../test/core/history-builder';
import { long } from '../common/proto-values';
import { eventId } from './events';
import { HistoryUpdate } from './history-update';
import type { HistoryEvent } from './types';

/** The ids of the last events of the sequences, by taking one after the other. */
function ends(events: HistoryEvent[], isLast = true): (number | string)[] {
  const { update } = HistoryUpdate.cut(events, 0, 0, isLast);
  const found: (number | string)[] = [];
  let from = 0;
  for (;;) {
    const peeked = update.peek(from).map(eventId);
    const next = update.take(from);
    if (next.kind !== 'events') return [...found, next.kind];
    expect(next.events.map(eventId)).toEqual(peeked);
    const last = eventId(next.events.at(-1) as HistoryEvent);
    found.push(last);
    if (next.isLast) return found;
    from = last;
  }
}

function timerRun(): HistoryBuilder {
  const history = new HistoryBuilder();
  history.taskStarted();
  history.taskCompleted();
  history.add({ timerStartedEventAttributes: {} });
  return history;
}

describe('workflow task sequences', () => {
  it('end where a task was started', () => {
    const history = timerRun();
    history.add({ timerFiredEventAttributes: {} });
    history.taskStarted();
    expect(ends(history.events)).toEqual([3, 8]);
  });

  it('end with the workflow', () => {
    const history = timerRun();
    history.add({ timerFiredEventAttributes: {} });
    history.taskStarted();
    history.taskCompleted();
    history.add({ workflowExecutionCompletedEventAttributes: {} });
    expect(ends(history.events)).toEqual([3, 8, 10]);
  });

  it.each([
    ['failed', (history: HistoryBuilder) => history.taskFailed()],
    ['timed out', (history: HistoryBuilder) => history.add({ workflowTaskTimedOutEventAttributes: {} })],
  ])('go over a task that %s', (_, voided) => {
    const history = timerRun();
    history.add({ timerFiredEventAttributes: {} });
    history.taskStarted();
    voided(history);
    history.taskStarted();
    expect(ends(history.events)).toEqual([3, 11]);
  });

  it('go over a task that the end of the workflow cut short', () => {
    const history = timerRun();
    history.taskStarted();
    history.add({ workflowExecutionTerminatedEventAttributes: {} });
    expect(ends(history.events)).toEqual([3, 8]);
  });

  it('hold the tasks that local activities renewed, up to the first command', () => {
    const history = new HistoryBuilder();
    history.taskStarted();
    history.taskCompleted();
    history.taskStarted();
    history.taskCompleted();
    history.taskStarted();
    history.taskCompleted();
    history.add({ markerRecordedEventAttributes: { markerName: 'm' } });
    history.taskStarted();
    expect(ends(history.events)).toEqual([9, 13]);
  });

  it('end at the task in which an accepted update was sequenced', () => {
    const history = new HistoryBuilder();
    history.taskStarted();
    history.taskCompleted();
    history.taskStarted();
    history.taskCompleted();
    const accepted = { acceptedRequestSequencingEventId: long(5) };
    history.add({ workflowExecutionUpdateAcceptedEventAttributes: accepted });
    history.taskStarted();
    expect(ends(history.events)).toEqual([3, 6, 10]);
  });

  it('that are not whole yet wait for more events', () => {
    const history = timerRun();
    history.add({ timerFiredEventAttributes: {} });
    const { update, rest } = HistoryUpdate.cut(history.events, 0, 0, false);
    expect(rest.map(eventId)).toEqual([4, 5, 6]);
    expect(update.canTake(0)).toBe(true);
    update.take(0);
    expect(update.canTake(3)).toBe(false);
    expect(update.take(3).kind).toBe('needFetch');
  });

  it('are followed by the completion whose flags they need', () => {
    const history = timerRun();
    const { update } = HistoryUpdate.cut(history.events, 0, 0, true);
    update.take(0);
    expect(update.peekTaskCompleted(3)?.sdkMetadata?.coreUsedFlags).toEqual([1, 2, 3]);
    expect(update.peekTaskCompleted(5)).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { estimateOf } from './estimate';
import { figuresOf, quantile } from './history-figures';

type Event = Parameters<typeof figuresOf>[0][number];
const payload = (bytes: number): object => ({ metadata: { encoding: new Uint8Array(4) }, data: new Uint8Array(bytes) });
const scheduled = (eventId: number): Event => ({
  eventId: eventId as never,
  activityTaskScheduledEventAttributes: { input: { payloads: [payload(10)] } },
});
const completed = (eventId: number, of: number): Event => ({
  eventId: eventId as never,
  activityTaskCompletedEventAttributes: { scheduledEventId: of as never },
});

describe('figures of a history', () => {
  it('counts what is under way at once, not what there is in all', () => {
    const events = [scheduled(1), scheduled(2), completed(3, 1), scheduled(4), completed(5, 4), completed(6, 2)];
    expect(figuresOf(events)).toEqual({
      events: 6,
      activities: 3,
      children: 0,
      payloadBytes: [22, 22, 22],
      widest: 2,
    });
  });

  it('counts a child that could not start as ended', () => {
    const events: Event[] = [
      { eventId: 1 as never, startChildWorkflowExecutionInitiatedEventAttributes: {} },
      { eventId: 2 as never, startChildWorkflowExecutionFailedEventAttributes: { initiatedEventId: 1 as never } },
      scheduled(3),
    ];
    expect(figuresOf(events)).toMatchObject({ children: 1, widest: 1 });
  });
});

it('takes quantiles of few values', () => {
  expect([quantile([], 0.5), quantile([4], 0.99), quantile([3, 1, 2, 4], 0.5), quantile([3, 1, 2, 4], 0.99)]).toEqual([
    0, 4, 2, 4,
  ]);
});

it('estimates in proportion to starts and lengths of histories', () => {
  const type = { starts: 0, startsPerSecond: 2, open: { count: 0 }, histories: 1 };
  const measured = (p50: number) => ({
    namespace: 'n',
    windowMs: 1,
    types: { a: { ...type, historyLength: { p50, p99: p50 }, payloadBytesPerRun: 100 }, b: type },
  });
  expect(estimateOf(['a', 'b'], measured(11))).toMatchObject({
    types: ['a'],
    startsPerSecond: 2,
    writeTransactionsPerSecond: { least: 0.196, most: 6 },
    walBytesPerSecond: 12_000,
  });
  expect(estimateOf(['a'], measured(22))!.walBytesPerSecond).toBe(23_800);
  expect(estimateOf(['b'], measured(11))).toBeUndefined();
});

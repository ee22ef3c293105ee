import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { temporal } from '@temporalio/proto';
import { Heartbeater } from './heartbeater';

type Payload = temporal.api.common.v1.IPayload;
const payload = (value: unknown): Payload => ({ data: new TextEncoder().encode(JSON.stringify(value)) });
const valueOf = (details: Payload[]): unknown => JSON.parse(new TextDecoder().decode(details[0]!.data!));

function heartbeater(report: (details: Payload[]) => Promise<void> = () => Promise.resolve()) {
  const sent: unknown[] = [];
  const errors: unknown[] = [];
  const beats = new Heartbeater({
    intervalMs: 1000,
    encode: (details) => (details === 'bad' ? Promise.reject(new Error('no')) : Promise.resolve([payload(details)])),
    report: (details) => {
      sent.push(valueOf(details));
      return report(details);
    },
    onEncodeError: (error) => errors.push(error),
  });
  return { beats, sent, errors };
}

describe('heartbeats of an activity', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('sends the first at once and the newest once per interval', async () => {
    const { beats, sent } = heartbeater();
    for (const n of [1, 2, 3]) {
      beats.record(n);
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(sent).toEqual([1]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(sent).toEqual([1, 3]);
    await vi.advanceTimersByTimeAsync(5000);
    expect(sent).toEqual([1, 3]);
    beats.record(4);
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toEqual([1, 3, 4]);
  });

  it('does not send while a report is on its way', async () => {
    let done!: () => void;
    const { beats, sent } = heartbeater(() => new Promise((resolve) => (done = resolve)));
    beats.record(1);
    await vi.advanceTimersByTimeAsync(0);
    beats.record(2);
    await vi.advanceTimersByTimeAsync(5000);
    expect(sent).toEqual([1]);
    done();
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toEqual([1, 2]);
  });

  it('flushes the newest details before a confirmed cancellation', async () => {
    const { beats, sent } = heartbeater();
    beats.record(1);
    await vi.advanceTimersByTimeAsync(0);
    beats.record(2);
    await beats.close(true);
    expect(sent).toEqual([1, 2]);
  });

  it('keeps the newest details for a failure and drops the unsent ones of a success', async () => {
    const { beats, sent } = heartbeater();
    beats.record(1);
    await vi.advanceTimersByTimeAsync(0);
    beats.record(2);
    expect(valueOf((await beats.lastDetails())!)).toBe(2);
    await beats.close(false);
    await vi.advanceTimersByTimeAsync(5000);
    beats.record(3);
    await vi.advanceTimersByTimeAsync(5000);
    expect(sent).toEqual([1]);
  });

  it('reports details that cannot be encoded and goes on', async () => {
    const { beats, sent, errors } = heartbeater();
    beats.record('bad');
    await vi.advanceTimersByTimeAsync(0);
    beats.record(2);
    await vi.advanceTimersByTimeAsync(0);
    expect(errors).toHaveLength(1);
    expect(sent).toEqual([2]);
  });
});

import { describe, expect, it } from 'vitest';
import { InternalFlags, CoreFlag } from './internal-flags';
import { localActivityMarkerDetails, localActivityMarkerOf, patchMarkerDetails, patchMarkerOf } from './markers';
import { randomnessSeed, sipHash13 } from './random-seed';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe('the random seed', () => {
  it('is SipHash-1-3 as Rust computes it', () => {
    // Reference: `SipHasher13::new()` of the siphasher crate over 0, 1, 2 … bytes.
    expect(sipHash13(new Uint8Array(0)).toString(16)).toBe('d1fba762150c532c');
  });

  it('depends on every part of the run id and is unsigned', () => {
    const seed = randomnessSeed('01a1fbec-873a-7e21-9dab-a7e4d0dfd00c');
    expect(seed.unsigned).toBe(true);
    expect(seed.toBytes()).toHaveLength(8);
    expect(seed.toString()).not.toBe(randomnessSeed('01a1fbec-873a-7e21-9dab-a7e4d0dfd00d').toString());
  });
});

describe('internal flags', () => {
  it('are recorded only when new', () => {
    const flags = new InternalFlags('sdk', '2');
    flags.addLangUsed([3, 1]);
    flags.useAll();
    expect(flags.takeForCompletion()).toEqual({
      coreUsedFlags: [1, 2, 3],
      langUsedFlags: [1, 3],
      sdkName: 'sdk',
      sdkVersion: '2',
    });
    flags.addFromHistory({ sdkMetadata: { langUsedFlags: [5], sdkName: 'sdk', sdkVersion: '2' } });
    flags.addLangUsed([1, 5]);
    flags.useAll();
    expect(flags.takeForCompletion()).toEqual({ coreUsedFlags: [], langUsedFlags: [], sdkName: '', sdkVersion: '' });
    expect(flags.allLang()).toEqual([1, 3, 5]);
    expect(flags.lastSdkVersion).toBe('2');
  });

  it('hold in replay only if history has them', () => {
    const flags = new InternalFlags('', '');
    expect(flags.tryUse(CoreFlag.IdAndTypeDeterminismChecks, false)).toBe(false);
    flags.addFromHistory({ sdkMetadata: { coreUsedFlags: [1] } });
    expect(flags.tryUse(CoreFlag.IdAndTypeDeterminismChecks, false)).toBe(true);
    expect(flags.tryUse(CoreFlag.MoveTerminalCommands, true)).toBe(true);
  });
});

describe('markers', () => {
  it('of patches are written and read', () => {
    const details = patchMarkerDetails({ id: 'p', deprecated: true });
    expect(Buffer.from(details['patch-data']?.payloads?.[0]?.data ?? []).toString()).toBe(
      '{"id":"p","deprecated":true}',
    );
    const event = { eventType: 25, markerRecordedEventAttributes: { markerName: 'core_patch', details } };
    expect(patchMarkerOf(event)).toEqual({ id: 'p', deprecated: true });
    expect(patchMarkerOf({ ...event, eventType: 5 })).toBeUndefined();
  });

  it('of patches by early versions are read', () => {
    const details = {
      patch_id: { payloads: [{ data: text('old') }] },
      deprecated: { payloads: [{ data: Uint8Array.of(0) }] },
    };
    const event = { eventType: 25, markerRecordedEventAttributes: { markerName: 'core_patch', details } };
    expect(patchMarkerOf(event)).toEqual({ id: 'old', deprecated: false });
  });

  it('of local activities are written and read', () => {
    const data = {
      seq: 3,
      attempt: 2,
      activityId: 'id',
      activityType: 'type',
      completeTime: { seconds: 5, nanos: 6 },
      backoff: undefined,
      originalScheduleTime: { seconds: 1, nanos: 2 },
    };
    const details = localActivityMarkerDetails(data, { data: text('r') });
    expect(Buffer.from(details['data']?.payloads?.[0]?.data ?? []).toString()).toBe(
      '{"seq":3,"attempt":2,"activity_id":"id","activity_type":"type","complete_time":{"seconds":5,"nanos":6},' +
        '"backoff":null,"original_schedule_time":{"seconds":1,"nanos":2}}',
    );
    const attributes = { markerName: 'core_local_activity', details };
    expect(localActivityMarkerOf({ eventType: 25, markerRecordedEventAttributes: attributes })).toEqual({
      ...data,
      result: { data: text('r') },
      failure: undefined,
    });
    const broken = { markerName: 'core_local_activity', details: { data: { payloads: [{ data: text('{') }] } } };
    expect(localActivityMarkerOf({ eventType: 25, markerRecordedEventAttributes: broken })).toBeUndefined();
  });
});

/** Which times a spec has, held against looking at every second through another library's eyes. */
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { fromMs } from '../../../common/proto-values';
import { canonicalSpec } from './canonical-spec';
import { ScheduleTimes } from './spec';
import type { Range, Spec, StructuredCalendar } from './spec-types';

type Given = Parameters<typeof canonicalSpec>[0];

const at = (iso: string): number => Date.parse(iso);
const iso = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

function timesOf(spec: Spec, fromMs: number, untilMs: number, seed = 's'): number[] {
  const times = new ScheduleTimes(spec, seed);
  const found: number[] = [];
  for (let slot = times.next(fromMs); slot !== null && slot.nominalMs <= untilMs; slot = times.next(slot.actionMs)) {
    found.push(slot.nominalMs);
  }
  return found;
}

/** The first few after a moment. */
function first(given: Given, after: string, count = 3): string[] {
  const times = new ScheduleTimes(canonicalSpec(given), 's');
  const found: string[] = [];
  for (let slot = times.next(at(after)); slot !== null && found.length < count; slot = times.next(slot.actionMs)) {
    found.push(iso(slot.nominalMs));
  }
  return found;
}

const cron = (text: string): Given => ({ cronString: [text] });

describe('a cron string', () => {
  it.each([
    ['0 9 * * 1-5', '2026-11-27T08:00:00Z', ['2026-11-27T09:00:00Z', '2026-11-30T09:00:00Z', '2026-12-01T09:00:00Z']],
    ['@hourly', '2026-11-27T08:00:00Z', ['2026-11-27T09:00:00Z', '2026-11-27T10:00:00Z', '2026-11-27T11:00:00Z']],
    ['@yearly', '2026-11-27T08:00:00Z', ['2027-01-01T00:00:00Z', '2028-01-01T00:00:00Z', '2029-01-01T00:00:00Z']],
    [
      '@every 90m/30m',
      '2026-11-25T15:15:00Z',
      ['2026-11-25T15:30:00Z', '2026-11-25T17:00:00Z', '2026-11-25T18:30:00Z'],
    ],
    ['0 0 * * 1-7/2', '2026-11-26T00:00:00Z', ['2026-11-27T00:00:00Z', '2026-11-29T00:00:00Z', '2026-11-30T00:00:00Z']],
    ['5 4 3 2 1 * 2030', '2026-11-26T00:00:00Z', ['2030-01-02T03:04:05Z']],
    [
      '*/15 0 1 jan,feb * 2030-2031',
      '2026-01-01T00:00:00Z',
      ['2030-01-01T00:00:00Z', '2030-01-01T00:15:00Z', '2030-01-01T00:30:00Z'],
    ],
    ['0 0 29 2 *', '2026-01-01T00:00:00Z', ['2028-02-29T00:00:00Z', '2032-02-29T00:00:00Z', '2036-02-29T00:00:00Z']],
    // Of both days Temporal wants both, where cron wants either.
    ['0 0 13 * 5', '2026-01-01T00:00:00Z', ['2026-02-13T00:00:00Z', '2026-03-13T00:00:00Z', '2026-11-13T00:00:00Z']],
    ['0 0 31 2 *', '2026-01-01T00:00:00Z', []],
  ])('%s', (text, after, expected) => expect(first(cron(text), after)).toEqual(expected));

  it('has a comment, which is shown', () => {
    expect(canonicalSpec(cron('0 12 * * MON#lunch # really')).structuredCalendar[0]?.comment).toBe('lunch # really');
  });

  it.each([
    ['61 * * * *', 'Minute is not in range [0-59]'],
    ['* * * *', 'CronString does not have 5-7 fields'],
    ['* * * * * * * *', 'CronString does not have 5-7 fields'],
    ['TZ=Nowhere/X 0 0 * * *', 'unknown time zone Nowhere/X'],
    ['TZ=america/new_york 0 0 * * *', 'unknown time zone america/new_york'],
    ['TZ=UTC', 'CronString has time zone but missing fields'],
    ['@every 500ms', 'interval is too small'],
    ['@every 1m/1m', 'phase cannot be greater than Interval'],
    ['@every x', 'time: invalid duration "x"'],
    ['@every', 'CronString does not have interval after @every'],
    ['@foo', 'CronString does not have 5-7 fields'],
    ['5/x * * * *', 'strconv.Atoi: parsing "x": invalid syntax'],
    ['1-2-3 * * * *', 'Minute has too many dashes'],
    ['1/2/3 * * * *', 'Minute has too many slashes'],
    ['*/0 * * * *', 'Minute has invalid Step'],
    ['30-10 * * * *', 'Minute End is before Start or not in range [0-59]'],
    ['* * * foo *', 'Month is not in range [1-12]'],
    ['x y * * *', 'Minute is not in range [0-59], Hour is not in range [0-23]'],
  ])('is refused: %s', (text, message) => expect(() => canonicalSpec(cron(text))).toThrow(message));

  it('must agree on the time zone with the others and with the spec', () => {
    const berlin = 'TZ=Europe/Berlin 0 0 * * *';
    expect(() => canonicalSpec({ cronString: [berlin, '0 0 * * *'] })).toThrow('conflicting timezone names');
    expect(() => canonicalSpec({ cronString: [berlin], timezoneName: 'UTC' })).toThrow('conflicting timezone names');
    expect(canonicalSpec({ cronString: ['0 0 * * *'], timezoneName: 'Asia/Tokyo' }).timezoneName).toBe('Asia/Tokyo');
  });
});

describe('daylight saving time', () => {
  const newYork = (text: string): Given => ({ cronString: [text], timezoneName: 'America/New_York' });
  it.each([
    [
      'a time that spring skips does not come',
      '30 2 * * *',
      '2026-03-07T12:00:00Z',
      ['2026-03-09T06:30:00Z', '2026-03-10T06:30:00Z'],
    ],
    [
      'a time that autumn repeats comes twice',
      '30 1 * * *',
      '2026-10-31T12:00:00Z',
      ['2026-11-01T05:30:00Z', '2026-11-01T06:30:00Z'],
    ],
    [
      'so do the minutes of that hour',
      '*/30 1 1 11 *',
      '2026-10-31T12:00:00Z',
      ['2026-11-01T05:00:00Z', '2026-11-01T05:30:00Z', '2026-11-01T06:00:00Z', '2026-11-01T06:30:00Z'],
    ],
    [
      'midnight moves with the offset',
      '0 0 * * *',
      '2026-03-07T12:00:00Z',
      ['2026-03-08T05:00:00Z', '2026-03-09T04:00:00Z'],
    ],
  ])('in New York: %s', (_, text, after, expected) => {
    expect(first(newYork(text), after, expected.length)).toEqual(expected);
  });

  it('at midnight skips the first hour of the day, not the day', () => {
    const santiago: Given = { cronString: ['*/30 0-1 * * *'], timezoneName: 'America/Santiago' };
    // 2026-09-06 began at 01:00.
    expect(first(santiago, '2026-09-05T22:00:00Z', 2)).toEqual(['2026-09-06T04:00:00Z', '2026-09-06T04:30:00Z']);
  });
});

describe('a spec', () => {
  it('begins with its start and ends with its end', () => {
    const given: Given = {
      interval: [{ interval: fromMs(3_600_000) }],
      startTime: fromMs(at('2026-01-01T10:00:00Z')),
      endTime: fromMs(at('2026-01-01T12:00:00Z')),
    };
    expect(first(given, '2020-01-01T00:00:00Z', 9)).toEqual([10, 11, 12].map((hour) => `2026-01-01T${hour}:00:00Z`));
  });

  it('that excludes all its times is over, soon', () => {
    const always = { second: '*', minute: '*', hour: '*' };
    expect(
      first({ interval: [{ interval: fromMs(1000) }], excludeCalendar: [always] }, '2026-01-01T00:00:00Z'),
    ).toEqual([]);
    const minutes: Given = { interval: [{ interval: fromMs(60_000) }], excludeCalendar: [{ minute: '*', hour: '*' }] };
    expect(first(minutes, '2026-01-01T00:00:00Z')).toEqual([]);
  });

  it('ends with the year 2100', () => {
    expect(first(cron('0 0 1 1 *'), '2098-06-01T00:00:00Z', 9)).toEqual([
      '2099-01-01T00:00:00Z',
      '2100-01-01T00:00:00Z',
    ]);
    expect(first({ interval: [{ interval: fromMs(86_400_000 * 366) }] }, '2099-06-01T00:00:00Z', 9)).toHaveLength(1);
  });

  it('refuses ranges that cannot be, of what is excluded too', () => {
    const range = (start: number, end = 0, step = 0) => [{ start, end, step }];
    expect(() => canonicalSpec({ structuredCalendar: [{ hour: range(24), minute: range(5, 4) }] })).toThrow(
      'invalid calendar spec: Minute End is before Start or not in range [0-59], Hour Start is not in range [0-23]',
    );
    expect(() => canonicalSpec({ excludeStructuredCalendar: [{ second: range(0, 0, -1) }] })).toThrow(
      'Second has invalid Step',
    );
  });
});

describe('jitter', () => {
  const jittered = (jitterMs: number): Spec =>
    canonicalSpec({ interval: [{ interval: fromMs(10_000) }], jitter: fromMs(jitterMs) });
  const slots = (spec: Spec, seed: string) => {
    const times = new ScheduleTimes(spec, seed);
    let slot = times.next(0);
    return Array.from({ length: 200 }, () => {
      const now = slot!;
      slot = times.next(now.actionMs);
      return now;
    });
  };

  it('is the same for the same time of the same schedule', () => {
    expect(slots(jittered(5000), 'a')).toEqual(slots(jittered(5000), 'a'));
    expect(slots(jittered(5000), 'a')).not.toEqual(slots(jittered(5000), 'b'));
  });

  it('is spread over its range, and never reaches the next time', () => {
    for (const [jitterMs, limit] of [
      [5000, 5000],
      [60_000, 10_000],
    ] as const) {
      const jitter = slots(jittered(jitterMs), 'a').map(({ nominalMs, actionMs }) => actionMs - nominalMs);
      expect(Math.min(...jitter)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...jitter)).toBeLessThan(limit);
      expect(Math.min(...jitter)).toBeLessThan(limit / 10);
      expect(Math.max(...jitter)).toBeGreaterThan(limit * 0.9);
    }
  });
});

/** Changes of the clocks, and places without any. */
const PLACES = [
  ['America/New_York', '2026-03-08T07:00:00Z'],
  ['America/New_York', '2026-11-01T06:00:00Z'],
  ['Europe/Berlin', '2027-03-28T01:00:00Z'],
  ['Europe/Berlin', '2027-10-31T01:00:00Z'],
  // By half an hour.
  ['Australia/Lord_Howe', '2026-04-04T15:00:00Z'],
  ['Australia/Lord_Howe', '2026-10-03T15:30:00Z'],
  // At midnight.
  ['America/Santiago', '2026-09-06T04:00:00Z'],
  ['Asia/Beirut', '2027-03-27T22:00:00Z'],
  // In autumn at midnight: the day before begins again.
  ['America/Santiago', '2027-04-04T03:00:00Z'],
  ['Asia/Kathmandu', '2026-06-01T00:00:00Z'],
  ['UTC', '2026-12-31T23:30:00Z'],
] as const;

const range = (min: number, max: number): fc.Arbitrary<Range[]> =>
  fc.oneof(
    fc.constant<Range[]>([{ start: min, end: max, step: 1 }]),
    fc.array(
      fc
        .tuple(fc.integer({ min, max }), fc.integer({ min, max }), fc.integer({ min: 0, max: 7 }))
        .map(([a, b, step]) => ({ start: Math.min(a, b), end: Math.max(a, b), step })),
      { minLength: 1, maxLength: 3 },
    ),
  );
const calendar: fc.Arbitrary<StructuredCalendar> = fc.record({
  second: fc.oneof(fc.constant<Range[]>([{ start: 0, end: 0, step: 0 }]), range(0, 59)),
  minute: range(0, 59),
  hour: range(0, 23),
  dayOfMonth: range(1, 31),
  month: range(1, 12),
  year: fc.oneof(fc.constant<Range[]>([]), range(2026, 2028)),
  dayOfWeek: range(0, 6),
  comment: fc.constant(''),
});
const interval = fc
  .tuple(fc.integer({ min: 1, max: 4000 }), fc.nat())
  .map(([every, phase]) => ({ interval: fromMs(every * 1000), phase: fromMs((phase % every) * 1000) }));

const holds = (ranges: Range[], value: number): boolean =>
  ranges.some(
    ({ start, end, step }) => value >= start && value <= Math.max(start, end) && (value - start) % (step || 1) === 0,
  );

function matches(one: StructuredCalendar, time: Temporal.ZonedDateTime, second: number): boolean {
  return (
    holds(one.second, second) &&
    holds(one.minute, time.minute) &&
    holds(one.hour, time.hour) &&
    holds(one.dayOfMonth, time.day) &&
    holds(one.month, time.month) &&
    (one.year.length === 0 || holds(one.year, time.year)) &&
    holds(one.dayOfWeek, time.dayOfWeek % 7)
  );
}

/** Every second is looked at; no offset changes within a minute. */
function reference(spec: Spec, fromMs: number, untilMs: number): number[] {
  const found: number[] = [];
  let time = Temporal.Instant.fromEpochMilliseconds(fromMs).toZonedDateTimeISO(spec.timezoneName);
  for (let ms = fromMs + 1000; ms <= untilMs; ms += 1000) {
    const second = (ms / 1000) % 60;
    if (second === 0) time = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(spec.timezoneName);
    const inIntervals = spec.interval.some(
      (one) => (ms / 1000 - Number(one.phase?.seconds)) % Number(one.interval.seconds) === 0,
    );
    if (!inIntervals && !spec.structuredCalendar.some((one) => matches(one, time, second))) continue;
    if (spec.excludeStructuredCalendar.some((one) => matches(one, time, second))) continue;
    found.push(ms);
  }
  return found;
}

describe('any spec', () => {
  it('has the times that a look at every second finds', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...PLACES),
        fc.array(calendar, { maxLength: 3 }),
        fc.array(interval, { maxLength: 2 }),
        fc.array(calendar, { maxLength: 2 }),
        ([timezoneName, change], structuredCalendar, intervals, excludeStructuredCalendar) => {
          const spec: Spec = {
            structuredCalendar,
            interval: intervals,
            excludeStructuredCalendar,
            startTime: null,
            endTime: null,
            jitter: null,
            timezoneName,
          };
          const [from, until] = [at(change) - 4_500_000, at(change) + 4_500_000];
          expect(timesOf(spec, from, until).map(iso)).toEqual(reference(spec, from, until).map(iso));
        },
      ),
      { numRuns: 150 },
    );
  }, 60_000);

  it('has the same times wherever the search begins', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...PLACES),
        calendar,
        fc.integer({ min: 0, max: 10_000_000 }),
        ([timezoneName, change], one, ms) => {
          const spec = { ...canonicalSpec({ timezoneName }), structuredCalendar: [one] };
          const until = at(change) + 20_000_000;
          const all = timesOf(spec, at(change) - 10_000_000, until);
          const from = at(change) - 10_000_000 + ms;
          expect(timesOf(spec, from, until)).toEqual(all.filter((time) => time > from));
        },
      ),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cronBackoffMs, validateCronSchedule } from './cron';

const at = (iso: string): number => Date.parse(iso);

/** The first run of the schedule after a moment at which the last one was due. */
function next(schedule: string, iso: string): string | null {
  const backoffMs = cronBackoffMs(schedule, at(iso), at(iso));
  return backoffMs === null ? null : new Date(at(iso) + backoffMs).toISOString().replace('.000Z', 'Z');
}

describe('the next run of a cron schedule', () => {
  it.each([
    ['* * * * *', '2026-01-05T12:00:00Z', '2026-01-05T12:01:00Z'],
    ['*/15 * * * *', '2026-01-05T12:14:59Z', '2026-01-05T12:15:00Z'],
    ['0 9 * * mon-fri', '2026-01-09T09:00:00Z', '2026-01-12T09:00:00Z'],
    ['30 4 1,15 * *', '2026-01-05T00:00:00Z', '2026-01-15T04:30:00Z'],
    ['0 0 29 feb *', '2026-01-05T00:00:00Z', '2028-02-29T00:00:00Z'],
    ['5/20 3 * * ?', '2026-01-05T03:06:00Z', '2026-01-05T03:25:00Z'],
    ['0 0 1 1 SUN', '2026-01-05T00:00:00Z', '2026-01-11T00:00:00Z'],
    ['0 0 */2 * mon', '2026-01-05T00:00:00Z', '2026-01-07T00:00:00Z'],
    ['@hourly', '2026-01-05T12:30:00Z', '2026-01-05T13:00:00Z'],
    ['@daily', '2026-01-05T12:30:00Z', '2026-01-06T00:00:00Z'],
    ['@weekly', '2026-01-05T12:30:00Z', '2026-01-11T00:00:00Z'],
    ['@monthly', '2026-01-05T12:30:00Z', '2026-02-01T00:00:00Z'],
    ['@yearly', '2026-01-05T12:30:00Z', '2027-01-01T00:00:00Z'],
    ['@every 1h30m', '2026-01-05T12:30:00Z', '2026-01-05T14:00:00Z'],
    ['@every 300ms', '2026-01-05T12:30:00Z', '2026-01-05T12:30:01Z'],
  ])('%s after %s is %s', (schedule, after, expected) => expect(next(schedule, after)).toBe(expected));

  it.each([
    ['winter', '0 9 * * *', '2026-01-05T00:00:00Z', '2026-01-05T14:00:00Z'],
    ['summer', '0 9 * * *', '2026-07-05T00:00:00Z', '2026-07-05T13:00:00Z'],
    ['an hour that spring skips does not run that day', '30 2 * * *', '2026-03-08T05:30:00Z', '2026-03-09T06:30:00Z'],
    ['an hour that autumn repeats runs twice', '30 1 * * *', '2026-11-01T05:30:00Z', '2026-11-01T06:30:00Z'],
  ])('in New York: %s', (_, schedule, after, expected) => {
    expect(next(`CRON_TZ=America/New_York ${schedule}`, after)).toBe(expected);
    expect(next(`TZ=America/New_York ${schedule}`, after)).toBe(expected);
  });

  it('comes after the scheduled time, not after the end of the last run', () => {
    const scheduled = at('2026-01-05T12:00:00Z');
    expect(cronBackoffMs('@every 1m', scheduled, scheduled + 10_000)).toBe(50_000);
  });

  it('skips what was missed and keeps the grid', () => {
    const scheduled = at('2026-01-05T12:00:00Z');
    expect(cronBackoffMs('@every 1m', scheduled, scheduled + 3_601_000)).toBe(59_000);
    expect(cronBackoffMs('*/5 * * * *', scheduled, scheduled + 3_601_000)).toBe(299_000);
  });

  it('is the scheduled time itself as long as that lies ahead', () => {
    const now = at('2026-01-05T12:00:00Z');
    expect(cronBackoffMs('@daily', now + 5000, now)).toBe(5000);
  });

  it('is rounded up to seconds', () => {
    const now = at('2026-01-05T12:00:00.250Z');
    expect(cronBackoffMs('* * * * *', now, now)).toBe(60_000);
  });

  it('is none without a schedule or for a day that never comes', () => {
    expect(cronBackoffMs('', 0, 0)).toBeNull();
    expect(next('0 0 30 2 *', '2026-01-05T00:00:00Z')).toBeNull();
  });
});

describe('a cron schedule is refused', () => {
  it.each([
    'x',
    '* * * *',
    '* * * * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * * 13 *',
    '* * * * 7',
    '5-1 * * * *',
    '*/0 * * * *',
    '@never',
    '@every x',
    'TZ=Nowhere/Land * * * * *',
    'TZ=UTC',
  ])('%s', (schedule) => expect(() => validateCronSchedule(schedule, 0)).toThrow('invalid CronSchedule.'));
  it('when no time satisfies it', () =>
    expect(() => validateCronSchedule('0 0 31 4 *', 0)).toThrow('no time can be found to satisfy the schedule'));
});

describe('any schedule of minutes and hours', () => {
  const schedule = fc
    .record({ minute: fc.integer({ min: 0, max: 59 }), hour: fc.integer({ min: 0, max: 23 }) })
    .map(({ minute, hour }) => ({ minute, hour, text: `${minute} ${hour} * * *` }));

  it('next runs within a day, at its minute, not before now', () => {
    fc.assert(
      fc.property(
        schedule,
        fc.integer({ min: 0, max: 4e12 }),
        fc.integer({ min: 0, max: 1e9 }),
        (given, scheduledMs, lateMs) => {
          const now = scheduledMs + lateMs;
          const backoffMs = cronBackoffMs(given.text, scheduledMs, now)!;
          // Rounding up to seconds may carry it less than a second past the match.
          const run = new Date(Math.floor((now + backoffMs) / 1000) * 1000);
          return (
            backoffMs >= 0 &&
            backoffMs <= 86_400_000 &&
            run.getUTCMinutes() === given.minute &&
            run.getUTCHours() === given.hour &&
            run.getUTCSeconds() === 0
          );
        },
      ),
    );
  });
});

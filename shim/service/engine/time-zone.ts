/** Local calendar time in an IANA time zone, from and to epoch ms. */

export interface LocalTime {
  year: number;
  /** 1-12 */
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  /** 0 = Sunday */
  weekday: number;
}

/** The same wall-clock numbers read as UTC: a way to do calendar arithmetic with `Date`. */
function wallClockMs(time: Pick<LocalTime, 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second'>): number {
  return Date.UTC(time.year, time.month - 1, time.day, time.hour, time.minute, time.second);
}

function fromWallClock(wallMs: number): LocalTime {
  const date = new Date(wallMs);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    weekday: date.getUTCDay(),
  };
}

/** An IANA name, in its own spelling (Intl knows them in any, and offsets besides). */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    const { timeZone } = new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions();
    return timeZone === name || timeZone.toLowerCase() !== name.toLowerCase();
  } catch {
    return false;
  }
}

export class TimeZone {
  private readonly format: Intl.DateTimeFormat | null;

  constructor(name: string) {
    this.format =
      name === 'UTC'
        ? null
        : new Intl.DateTimeFormat('en-US', {
            timeZone: name,
            calendar: 'gregory',
            hourCycle: 'h23',
            year: 'numeric',
            month: 'numeric',
            day: 'numeric',
            hour: 'numeric',
            minute: 'numeric',
            second: 'numeric',
          });
  }

  local(epochMs: number): LocalTime {
    return fromWallClock(this.wallClock(epochMs));
  }

  /** Epoch ms of a local time. In a gap (spring forward) as far after the jump as it lies in the gap; twice-occurring times: the first. */
  epochMs(year: number, month: number, day: number, hour: number): number {
    const wallMs = Date.UTC(year, month - 1, day, hour);
    const before = wallMs - this.offsetMs(wallMs - DAY_MS);
    if (this.wallClock(before) === wallMs) return before;
    const after = wallMs - this.offsetMs(wallMs + DAY_MS);
    return this.wallClock(after) === wallMs ? after : before;
  }

  /** Local time minus UTC. */
  offsetMs(epochMs: number): number {
    return this.wallClock(epochMs) - Math.floor(epochMs / 1000) * 1000;
  }

  private wallClock(epochMs: number): number {
    const wholeSecondMs = Math.floor(epochMs / 1000) * 1000;
    if (this.format === null) return wholeSecondMs;
    const parts: Record<string, number> = {};
    for (const { type, value } of this.format.formatToParts(wholeSecondMs)) parts[type] = Number(value);
    const { year, month, day, hour, minute, second } = parts as Record<keyof LocalTime, number>;
    return wallClockMs({ year, month, day, hour, minute, second });
  }
}

const DAY_MS = 86_400_000;

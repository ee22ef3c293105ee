/**
 * Which moments a structured calendar matches. Local times that daylight saving skips never come and those it repeats come twice, because the
 * search goes through each stretch of constant offset on its own.
 */
import { LAST_YEAR, type Range, type StructuredCalendar } from './spec-types';
import type { Zone } from './zone';

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** No two offsets of a zone are further apart. */
const OFFSET_SPAN_MS = 2 * DAY_MS;

type Matcher = (value: number) => boolean;

function valuesOf(ranges: Range[]): Set<number> {
  const values = new Set<number>();
  for (const { start, end, step } of ranges) {
    for (let value = start; value <= Math.max(start, end); value += step || 1) values.add(value);
  }
  return values;
}

function matcher(ranges: Range[]): Matcher {
  const values = valuesOf(ranges);
  return (value) => values.has(value);
}

export class Calendar {
  private readonly second: Matcher;
  private readonly minute: Matcher;
  private readonly hour: Matcher;
  private readonly dayOfMonth: Matcher;
  private readonly month: Matcher;
  private readonly year: Matcher;
  private readonly dayOfWeek: Matcher;
  /** Of a match, the whole unit around it (up to its day) matches too, ms. */
  private readonly unitMs: number;

  constructor(
    calendar: StructuredCalendar,
    private readonly zone: Zone,
  ) {
    this.second = matcher(calendar.second);
    this.minute = matcher(calendar.minute);
    this.hour = matcher(calendar.hour);
    this.dayOfMonth = matcher(calendar.dayOfMonth);
    this.month = matcher(calendar.month);
    this.year = calendar.year.length === 0 ? () => true : matcher(calendar.year);
    this.dayOfWeek = matcher(calendar.dayOfWeek);
    if (valuesOf(calendar.second).size < 60) this.unitMs = SECOND_MS;
    else if (valuesOf(calendar.minute).size < 60) this.unitMs = MINUTE_MS;
    else if (valuesOf(calendar.hour).size < 24) this.unitMs = HOUR_MS;
    else this.unitMs = DAY_MS;
  }

  /** The first matching second after a moment, epoch ms; null when there is none up to the last year. */
  next(afterMs: number): number | null {
    let at = Math.floor(afterMs / SECOND_MS) * SECOND_MS + SECOND_MS;
    for (;;) {
      const { untilMs, offsetMs } = this.zone.at(at);
      const local = this.firstLocal(at + offsetMs);
      if (local === null) return null;
      const found = local - offsetMs;
      if (found < untilMs) return found;
      // Leaping over stretches is safe when what they repeat has been searched as well.
      at = untilMs - at > OFFSET_SPAN_MS ? Math.max(untilMs, found - OFFSET_SPAN_MS) : untilMs;
    }
  }

  /** When the moment matches: the end of what surely matches with it, epoch ms; otherwise null. */
  matchesUntil(epochMs: number): number | null {
    const { untilMs, offsetMs } = this.zone.at(epochMs);
    const local = epochMs + offsetMs;
    if (!this.matches(new Date(local))) return null;
    return Math.min(untilMs, (Math.floor(local / this.unitMs) + 1) * this.unitMs - offsetMs);
  }

  private matches(local: Date): boolean {
    return (
      this.year(local.getUTCFullYear()) &&
      this.month(local.getUTCMonth() + 1) &&
      this.dayOfMonth(local.getUTCDate()) &&
      this.dayOfWeek(local.getUTCDay()) &&
      this.hour(local.getUTCHours()) &&
      this.minute(local.getUTCMinutes()) &&
      this.second(local.getUTCSeconds())
    );
  }

  /** The first matching local time (as if UTC) that is not before the given one. */
  private firstLocal(fromMs: number): number | null {
    for (let at = fromMs; ;) {
      const date = new Date(at);
      const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
      if (year > LAST_YEAR) return null;
      if (!this.year(year)) at = Date.UTC(year + 1, 0, 1);
      else if (!this.month(month + 1)) at = Date.UTC(year, month + 1, 1);
      else if (!this.dayOfMonth(day) || !this.dayOfWeek(date.getUTCDay())) at = Date.UTC(year, month, day + 1);
      else if (!this.hour(date.getUTCHours())) at = nextMultiple(at, HOUR_MS);
      else if (!this.minute(date.getUTCMinutes())) at = nextMultiple(at, MINUTE_MS);
      else if (!this.second(date.getUTCSeconds())) at += SECOND_MS;
      else return at;
    }
  }
}

const nextMultiple = (ms: number, unitMs: number): number => (Math.floor(ms / unitMs) + 1) * unitMs;

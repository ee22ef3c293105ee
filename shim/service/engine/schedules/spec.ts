/** When a schedule acts: the union of its calendars and intervals without what is excluded, between start and end, with jitter. */
import { ms, optionalMs } from '../../../common/proto-values';
import { Calendar } from './calendar';
import { LAST_YEAR, type Spec } from './spec-types';
import { Zone } from './zone';

/** A time of the schedule, epoch ms. */
export interface Slot {
  /** As the spec says, whole seconds. */
  nominalMs: number;
  /** With jitter: when it is acted on. */
  actionMs: number;
}

/** Excluded times passed over in one search; a spec that excludes more of its times in a row is over. */
const MAX_EXCLUDED = 200_000;
/** Jitter is drawn from 32 bits of milliseconds. */
const MAX_JITTER_MS = 2 ** 32 - 1;
const AFTER_LAST_YEAR = Date.UTC(LAST_YEAR + 1, 0, 1);

export class ScheduleTimes {
  private readonly calendars: Calendar[];
  private readonly excluded: Calendar[];
  private readonly intervals: { everyS: number; phaseS: number }[];
  private readonly startMs: number;
  private readonly endMs: number;
  private readonly jitterMs: number;

  /** The spec has been checked. `seed` makes the jitter a schedule's own. */
  constructor(
    spec: Spec,
    private readonly seed: string,
  ) {
    const zone = Zone.named(spec.timezoneName === '' ? 'UTC' : spec.timezoneName);
    this.calendars = spec.structuredCalendar.map((calendar) => new Calendar(calendar, zone));
    this.excluded = spec.excludeStructuredCalendar.map((calendar) => new Calendar(calendar, zone));
    this.intervals = spec.interval.map(({ interval, phase }) => ({
      everyS: Math.max(1, Math.floor(ms(interval) / 1000)),
      phaseS: Math.max(0, Math.floor(ms(phase) / 1000)),
    }));
    this.startMs = ms(spec.startTime);
    this.endMs = optionalMs(spec.endTime) ?? Infinity;
    this.jitterMs = Math.min(Math.max(0, Math.floor(ms(spec.jitter))), MAX_JITTER_MS);
  }

  /** The first slot after a moment; null when the schedule is over. Give the action time of the last one to get the following. */
  next(afterMs: number): Slot | null {
    let after = Math.max(afterMs, this.startMs - 1000);
    for (let passed = 0; passed < MAX_EXCLUDED; passed++) {
      const nominalMs = this.nominalAfter(after);
      if (nominalMs === null || nominalMs > this.endMs || nominalMs >= AFTER_LAST_YEAR) return null;
      const until = this.excludedUntil(nominalMs);
      if (until === 0) return { nominalMs, actionMs: nominalMs + this.jitterOf(nominalMs) };
      after = until - 1000;
    }
    return null;
  }

  private nominalAfter(afterMs: number): number | null {
    let earliest = Infinity;
    for (const calendar of this.calendars) earliest = Math.min(earliest, calendar.next(afterMs) ?? Infinity);
    const afterS = Math.floor(afterMs / 1000);
    for (const { everyS, phaseS } of this.intervals) {
      const next = (Math.floor((afterS - phaseS) / everyS) + 1) * everyS + phaseS;
      earliest = Math.min(earliest, next * 1000);
    }
    return earliest === Infinity ? null : earliest;
  }

  /** End of the excluded stretch that the time begins, epoch ms; 0 = it is not excluded. */
  private excludedUntil(nominalMs: number): number {
    let until = 0;
    for (const calendar of this.excluded) until = Math.max(until, calendar.matchesUntil(nominalMs) ?? 0);
    return until;
  }

  /** The same for the same time of the same schedule, and never as far as the next time of the spec. */
  private jitterOf(nominalMs: number): number {
    if (this.jitterMs === 0) return 0;
    const following = this.nominalAfter(nominalMs) ?? Infinity;
    return Math.floor(share(`${nominalMs} ${this.seed}`) * Math.min(this.jitterMs, following - nominalMs));
  }
}

/** A text as an evenly spread number from 0 up to 1: FNV-1a, its bits mixed as in MurmurHash3. */
function share(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** A time zone as stretches of constant offset: within one, local time is plain arithmetic. */
import { TimeZone } from '../time-zone';

/** `fromMs` ≤ t < `untilMs`: local time is t + `offsetMs`. Neighbours may have the same offset. */
export interface Stretch {
  fromMs: number;
  untilMs: number;
  offsetMs: number;
}

const DAY_MS = 86_400_000;

export class Zone {
  private readonly byYear = new Map<number, Stretch[]>();
  private readonly zone: TimeZone;

  private constructor(readonly name: string) {
    this.zone = new TimeZone(name);
  }

  private static readonly known = new Map<string, Zone>();

  /** Shared by all schedules in that zone. The name has been checked. */
  static named(name: string): Zone {
    let zone = this.known.get(name);
    if (zone === undefined) this.known.set(name, (zone = new Zone(name)));
    return zone;
  }

  /** The stretch around a moment. */
  at(epochMs: number): Stretch {
    if (this.name === 'UTC') return { fromMs: -Infinity, untilMs: Infinity, offsetMs: 0 };
    const year = new Date(epochMs).getUTCFullYear();
    let stretches = this.byYear.get(year);
    if (stretches === undefined) this.byYear.set(year, (stretches = this.stretchesOf(year)));
    return stretches.find(({ untilMs }) => epochMs < untilMs)!;
  }

  /** Looks day by day: no zone changes its clocks twice in one. */
  private stretchesOf(year: number): Stretch[] {
    const endMs = Date.UTC(year + 1, 0, 1);
    const stretches: Stretch[] = [];
    let fromMs = Date.UTC(year, 0, 1);
    let offsetMs = this.zone.offsetMs(fromMs);
    for (let dayMs = fromMs; dayMs < endMs; dayMs += DAY_MS) {
      const later = this.zone.offsetMs(Math.min(dayMs + DAY_MS, endMs - 1000));
      if (later === offsetMs) continue;
      const untilMs = this.changeBetween(dayMs, dayMs + DAY_MS, offsetMs);
      stretches.push({ fromMs, untilMs, offsetMs });
      fromMs = untilMs;
      offsetMs = later;
    }
    stretches.push({ fromMs, untilMs: endMs, offsetMs });
    return stretches;
  }

  /** The first whole second that has another offset than the one at `fromMs`. */
  private changeBetween(fromMs: number, untilMs: number, offsetMs: number): number {
    let [same, other] = [fromMs, untilMs];
    while (other - same > 1000) {
      const middle = Math.floor((same + other) / 2000) * 1000;
      if (this.zone.offsetMs(middle) === offsetMs) same = middle;
      else other = middle;
    }
    return other;
  }
}

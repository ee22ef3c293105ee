/**
 * A limit on starts per second that holds over all processes: starts are taken from a row in Postgres, some at once, and spent here. Nothing is
 * asked of Postgres before work waits.
 */

/** Takes up to `wanted` starts; `waitMs` until there is one more. */
export type TakeStarts = (perSecond: number, wanted: number) => Promise<{ granted: number; waitMs: number }>;

/** Starts that were taken and not used are forgotten after this long, ms. */
const KEPT_MS = 1000;
/** How long to wait after an error, and at least between two refusals, ms. */
const PAUSE_MS = 1000;
const MIN_WAIT_MS = 2;

export class SharedRate {
  private starts = 0;
  private takenAt = 0;
  private closedUntil = 0;
  private taking = false;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private perSecond: number,
    private readonly take: TakeStarts,
    /** A start may be possible now. */
    private readonly opened: () => void,
  ) {}

  set rate(perSecond: number) {
    if (perSecond === this.perSecond) return;
    this.perSecond = perSecond;
    this.closedUntil = 0;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  /** May one start now? Else asks for starts and tells when there are some; `waiting` tasks could use them. */
  ready(waiting: number): boolean {
    const now = performance.now();
    if (this.starts > 0 && now - this.takenAt < KEPT_MS) return true;
    this.starts = 0;
    // A limit of 0 stops the queue until it is changed.
    if (this.taking || this.perSecond <= 0 || now < this.closedUntil) return false;
    this.taking = true;
    const wanted = Math.max(1, Math.min(waiting, Math.ceil(this.perSecond / 10)));
    this.take(this.perSecond, wanted).then(
      ({ granted, waitMs }) => this.taken(granted, waitMs),
      () => this.taken(0, PAUSE_MS),
    );
    return false;
  }

  spend(): void {
    this.starts--;
  }

  /** The start did not happen. */
  giveBack(): void {
    this.starts++;
  }

  private taken(granted: number, waitMs: number): void {
    this.taking = false;
    this.starts += granted;
    this.takenAt = performance.now();
    if (granted > 0) return this.opened();
    const wait = Math.min(PAUSE_MS, Math.max(MIN_WAIT_MS, waitMs));
    this.closedUntil = this.takenAt + wait;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.closedUntil = 0;
      this.opened();
    }, wait).unref();
  }
}

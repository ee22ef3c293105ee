/** One run in this process's memory: its newest state, its recent events, and what of them is not durable yet. */
import type { Store } from '../../store/types';
import type { HistoryEvent, RunState } from '../engine/types';
import { int64 } from '../../common/proto-values';
import type { Batch } from './batch';

/** Recent events kept per run; older ones are read from the store. */
const MAX_CACHED_EVENTS = 2048;

export class RunHandle {
  /** Decided, not yet handed to the store. */
  batch: Batch | null = null;
  /** On its way to the store. */
  inFlight: Batch | null = null;
  /** In the committer's list of runs to flush. */
  scheduled = false;
  /** Given up: its memory is not the truth. */
  dropped = false;
  /** Closed, owes nothing, has no row. */
  gone = false;
  /** This process keeps work of the run in memory. */
  mine = false;
  /** The run is new, or a race was lost: the next started workflow task is committed before it is handed out. */
  commitFirst = false;
  /** The run is new and nothing speaks against its start: its first workflow task need not wait for the commit. */
  mayGoAhead = false;
  /** Due time of the last commit, epoch ms; 0 = none. */
  dueAtMs = 0;
  /** Rows of the inbox that were done in this memory. */
  readonly taken = new Set<string>();
  /** Request ids of signals, once known. */
  signalIds: Set<string> | null;
  /** Recent events, contiguous, ending with event nextEventId-1. */
  private events: HistoryEvent[] = [];
  private firstCached: number;
  /** Last durable event. */
  committedEventId: number;
  /** What this handle counts in the registry's byte budget. */
  weight = 0;

  constructor(
    private readonly store: Store,
    readonly namespaceId: number,
    readonly state: RunState,
    /** Version of the durable row; 0 = not made yet. */
    public version: number,
    /** Process named by the durable row. */
    public owner: string | null,
    /** Of the store's fence, when it was read. */
    readonly epoch = store.fence.epoch,
  ) {
    this.firstCached = version === 0 ? 1 : state.nextEventId;
    this.committedEventId = version === 0 ? 0 : state.nextEventId - 1;
    this.signalIds = version === 0 ? new Set() : null;
  }

  get runId(): string {
    return this.state.runId;
  }
  get dirty(): boolean {
    return this.batch !== null || this.inFlight !== null;
  }

  append(events: HistoryEvent[]): void {
    for (const event of events) this.events.push(event);
    if (this.events.length > MAX_CACHED_EVENTS) {
      const excess = Math.min(this.events.length - MAX_CACHED_EVENTS / 2, this.committedEventId + 1 - this.firstCached);
      if (excess <= 0) return;
      this.events.splice(0, excess);
      this.firstCached += excess;
    }
  }

  /** Uncommitted events included. */
  cachedEvent(eventId: number): HistoryEvent | undefined {
    return this.events[eventId - this.firstCached];
  }

  async event(eventId: number): Promise<HistoryEvent> {
    const cached = this.cachedEvent(eventId);
    if (cached !== undefined) return cached;
    const [event] = await this.store.readHistory(this.runId, eventId, eventId);
    if (event === undefined) throw new Error(`event ${eventId} of run ${this.runId} is missing`);
    return event;
  }

  /** Events from memory alone, uncommitted ones included; null when memory does not reach back that far. */
  cachedEvents(fromEventId: number, toEventId: number): HistoryEvent[] | null {
    if (fromEventId < this.firstCached) return null;
    return this.events.slice(fromEventId - this.firstCached, toEventId + 1 - this.firstCached);
  }

  /** Events in order, uncommitted ones included. */
  async eventsBetween(fromEventId: number, toEventId: number): Promise<HistoryEvent[]> {
    const cached = this.cachedEvents(fromEventId, toEventId);
    if (cached !== null) return cached;
    const stopBefore = this.firstCached;
    const older: HistoryEvent[] = [];
    for (let from = fromEventId; from < stopBefore && from <= toEventId;) {
      const page = await this.store.readHistory(this.runId, from, Math.min(toEventId, stopBefore - 1));
      if (page.length === 0) throw new Error(`events of run ${this.runId} from ${from} on are missing`);
      older.push(...page);
      from = int64(page[page.length - 1]!.eventId) + 1;
    }
    // The cache may have been trimmed meanwhile; what it lost is durable.
    const newer = this.cachedEvents(stopBefore, toEventId);
    if (newer === null) return [...older, ...(await this.eventsBetween(stopBefore, toEventId))];
    if (
      older.length + this.events.length <= MAX_CACHED_EVENTS / 2 &&
      this.firstCached === stopBefore &&
      toEventId >= stopBefore - 1
    ) {
      this.events = older.concat(this.events);
      this.firstCached = fromEventId;
    }
    return older.concat(newer);
  }
}

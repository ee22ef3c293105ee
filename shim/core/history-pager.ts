/** Gathers pages of history until at least two workflow task sequences (or the end) are in hand: replay looks one ahead. */
import { int64 } from '../common/proto-values';
import { eventId } from './events';
import { HistoryUpdate } from './history-update';
import type { HistoryEvent, WorkflowTask } from './types';

export type PagerResult =
  | { kind: 'update'; update: HistoryUpdate }
  | { kind: 'fetch'; fromEventId: number; nextPageToken: Uint8Array | undefined }
  /** The service has no more events although the task promised some. */
  | { kind: 'missing' };

type NextPage = 'fromStart' | 'done' | Uint8Array;

export class HistoryPager {
  readonly previousStartedEventId: number;
  readonly startedEventId: number;
  private queue: HistoryEvent[];
  private nextPage: NextPage;
  /** Events of a partial task, to be used once the pages before them were read. */
  private finalEvents: HistoryEvent[] = [];
  private lastExtracted = 0;
  /** A page came that no extraction has looked at yet. */
  private fetched = false;

  constructor(task: WorkflowTask) {
    this.previousStartedEventId = int64(task.previousStartedEventId);
    this.startedEventId = int64(task.startedEventId);
    this.queue = task.history?.events ?? [];
    const token = task.nextPageToken;
    if (this.queue.length === 0) this.nextPage = 'fromStart';
    else this.nextPage = token?.length ? token : 'done';
  }

  /** True when the task's events do not begin with the run's first. */
  get isPartial(): boolean {
    const first = this.queue[0] ?? this.finalEvents[0];
    return first === undefined || eventId(first) > 1;
  }

  /** True when events lack between this one and the task's first. */
  beginsAfter(nextEventId: number): boolean {
    const first = this.queue[0];
    return first !== undefined && eventId(first) > nextEventId;
  }

  /** The run is not cached: read from the start and put the task's own events after. */
  restart(): void {
    this.finalEvents = this.queue;
    this.queue = [];
    this.nextPage = 'fromStart';
  }

  /** Gives the next update, or says which page to fetch; after `addPage` call it again. */
  extract(): PagerResult {
    for (;;) {
      if (this.nextPage !== 'done' && !this.fetched) return this.fetchRequest();
      this.fetched = false;
      const events = this.queue;
      this.queue = [];
      const last = events[events.length - 1];
      const seenEnough = (last === undefined ? 0 : eventId(last)) >= this.startedEventId;
      const noNextPage = this.nextPage === 'done';
      if (last === undefined && noNextPage && this.lastExtracted >= this.startedEventId) {
        // The token of the last page led to an empty one: that was the end of the history.
        return { kind: 'update', update: HistoryUpdate.empty(this.previousStartedEventId, this.startedEventId) };
      }
      if (noNextPage && (last === undefined || !seenEnough)) return { kind: 'missing' };
      const noMore = noNextPage && seenEnough;
      const { update, rest } = HistoryUpdate.cut(events, this.previousStartedEventId, this.startedEventId, noMore);
      if (!noNextPage && update.sequences < 2) {
        this.queue = events;
        continue;
      }
      this.queue = rest;
      this.lastExtracted = update.lastEventId ?? 0;
      return { kind: 'update', update };
    }
  }

  private fetchRequest(): PagerResult {
    const last = this.queue[this.queue.length - 1];
    return {
      kind: 'fetch',
      fromEventId: last === undefined ? 1 : eventId(last) + 1,
      nextPageToken: typeof this.nextPage === 'string' ? undefined : this.nextPage,
    };
  }

  /** Adds a fetched page; events already in hand are skipped. */
  addPage(events: HistoryEvent[], nextPageToken: Uint8Array | undefined): void {
    this.nextPage = nextPageToken?.length ? nextPageToken : 'done';
    this.append(events);
    if (this.nextPage === 'done' && this.queue.length > 0) {
      this.append(this.finalEvents);
      this.finalEvents = [];
    }
    // An empty page with a token is no progress: ask on.
    this.fetched = events.length > 0 || this.nextPage === 'done';
  }

  private append(events: readonly HistoryEvent[]): void {
    const last = this.queue[this.queue.length - 1];
    const lastId = last === undefined ? 0 : eventId(last);
    const fresh = events.filter((event) => eventId(event) > lastId);
    this.queue = this.queue.length === 0 ? fresh : this.queue.concat(fresh);
  }
}

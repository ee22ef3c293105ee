/** Reading runs: from memory while it is certain to be the newest, else from the store. */
import { type Store, isSeed } from '../../store/types';
import type { HistoryEvent, RunState } from '../engine/types';
import type { RunCache } from './run-cache';
import type { RunHandle } from './run-handle';

export class RunReads {
  constructor(
    private readonly store: Store,
    private readonly cache: RunCache,
    /** Resolves when what a caller's transaction started has become a run. */
    private readonly grown: (runId: string) => Promise<unknown>,
    /** Resolves when what memory has decided is durable, or given up: it is written at once. */
    private readonly settled: (run: RunHandle) => Promise<void>,
  ) {}

  /** No other process can have moved a run. */
  get alone(): boolean {
    return this.store.liveProcesses().length <= 1;
  }

  async state(runId: string): Promise<RunState | null> {
    const run = this.cache.get(runId);
    if (run !== undefined) {
      if (run.gone) return null;
      if (this.alone && !run.dirty) return run.state;
    }
    const state = (await this.store.loadState(runId))?.state ?? null;
    if (state === null || !isSeed(state)) return state;
    await this.grown(runId);
    return this.state(runId);
  }

  /** With all that was handed out, such as a workflow task that a worker has: its start may be held for a while. */
  async snapshot(runId: string): Promise<RunState | null> {
    const run = this.cache.get(runId);
    if (run?.dirty === true) await this.settled(run);
    if (run !== undefined && !run.gone && !run.dirty && this.alone) return structuredClone(run.state);
    return this.state(runId);
  }

  async history(runId: string, fromEventId: number, toEventId: number, maxBytes?: number): Promise<HistoryEvent[]> {
    let run = this.cache.get(runId);
    if (run !== undefined && run.version > 0 && run.committedEventId === 0) {
      // A seed that is just growing.
      await this.grown(runId);
      run = this.cache.get(runId);
    }
    if (run !== undefined && (run.gone || this.alone || toEventId <= run.committedEventId)) {
      const events = run.cachedEvents(fromEventId, Math.min(toEventId, run.committedEventId));
      const bytesPerEvent = run.state.historySizeBytes / Math.max(1, run.state.nextEventId - 1);
      if (events !== null && (maxBytes === undefined || events.length * bytesPerEvent <= maxBytes)) return events;
    }
    const events = await this.store.readHistory(runId, fromEventId, toEventId, maxBytes);
    if (events.length > 0 || fromEventId > 1) return events;
    // Every run has a first event; one without is a seed, which grows by being looked at and may be closed by then, or none.
    await this.state(runId);
    return this.store.readHistory(runId, fromEventId, toEventId, maxBytes);
  }

  lastEvent(runId: string): HistoryEvent | undefined | Promise<HistoryEvent | undefined> {
    const run = this.cache.get(runId);
    if (run !== undefined && (run.gone || this.alone)) {
      const events = run.cachedEvents(run.committedEventId, run.committedEventId);
      if (events?.[0] !== undefined) return events[0];
    }
    return this.lastStored(runId);
  }

  private async lastStored(runId: string): Promise<HistoryEvent | undefined> {
    const [last] = await this.store.readLastEvents(runId, 1);
    if (last !== undefined) return last;
    await this.state(runId);
    return (await this.store.readLastEvents(runId, 1))[0];
  }
}

/** Brings runs from the store into memory. */
import { type InboxMessage, type Seed, type Store, isSeed } from '../../store/types';
import { Code, ServiceError } from '../errors';
import type { RunCache } from './run-cache';
import { runIsHeld } from '../restore/held';
import { RunHandle } from './run-handle';

export class RunLoader {
  private readonly loads = new Map<string, Promise<RunHandle | null>>();
  /** Runs whose last commit lost: two processes that both hold back a started task could starve each other. */
  private readonly lostRaces = new Set<string>();

  constructor(
    private readonly store: Store,
    private readonly cache: RunCache,
    /** Makes a run of a seed, puts it into the cache and has it committed. */
    private readonly grow: (seed: Seed, namespaceId: number, inbox: InboxMessage[]) => RunHandle,
  ) {}

  /** Into the cache; null when the run has no row (closed, or never there). Those who ask at once share one read. */
  load(runId: string): Promise<RunHandle | null> {
    let load = this.loads.get(runId);
    if (load === undefined) {
      load = this.loadNow(runId).finally(() => this.loads.delete(runId));
      this.loads.set(runId, load);
    }
    return load;
  }

  raceLost(runId: string): void {
    this.lostRaces.add(runId);
  }

  /** Heartbeats are kept beside the run, by whichever process recorded them. */
  async mergeHeartbeats(run: RunHandle): Promise<void> {
    const { activities } = run.state;
    if (!Object.values(activities).some((activity) => activity.startedAtMs !== 0)) return;
    for (const beat of await this.store.heartbeats(run.runId)) {
      const activity = activities[String(beat.scheduledEventId)];
      if (activity === undefined || activity.attempt !== beat.attempt || activity.startedAtMs === 0) continue;
      if (beat.atMs <= activity.lastHeartbeatAtMs) continue;
      activity.lastHeartbeatAtMs = beat.atMs;
      activity.heartbeatDetails = beat.details;
    }
  }

  private async loadNow(runId: string): Promise<RunHandle | null> {
    const { epoch } = this.store.fence;
    const row = await this.store.loadState(runId).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ServiceError(Code.UNAVAILABLE, `The database could not be reached: ${reason}`);
    });
    const lostRace = this.lostRaces.delete(runId);
    if (row === null) return null;
    if (row.held) throw runIsHeld(runId);
    if (isSeed(row.state)) {
      const inbox = await this.store.inbox.of(runId);
      return this.cache.get(runId) ?? this.grow(row.state, row.namespaceId, inbox);
    }
    const run = new RunHandle(this.store, row.namespaceId, row.state, row.version, row.owner, epoch);
    run.mine = row.owner === this.store.processId;
    run.commitFirst = lostRace;
    await this.mergeHeartbeats(run);
    const present = this.cache.get(runId);
    if (present !== undefined) return present;
    this.cache.add(run);
    return run;
  }
}

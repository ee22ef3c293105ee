/**
 * The schedules of this database: decisions on them, and what is then done to workflows. Any process decides on what it has just read and
 * commits with a fence (the version); what a decision wants done is in the committed state until it is reported, so that a process that dies
 * leaves it to the others. A start has a request id of its slot: done twice, it makes one workflow.
 */
import type { LoadedSchedule, ScheduleKey } from '../../store/types';
import { decide } from '../engine/schedules/decide';
import type { PendingStart, RunningWorkflow, ScheduleEvent, ScheduleState } from '../engine/schedules/types';
import type { RunHandle } from '../runs/run-handle';
import type { ScheduledWorkflows } from './workflows';
import type { ScheduleParts } from './parts';

/** After so many lost races the next try waits a moment, ms. */
const QUICK_RACES = 3;
const PAUSE_MS = 20;

/** What is to happen, judged by what was read; null = nothing. */
type Event = (state: ScheduleState, dueAtMs: number) => ScheduleEvent | null | Promise<ScheduleEvent | null>;

export class Schedules {
  /** Changes of one schedule go one after the other in this process. */
  private readonly last = new Map<string, Promise<unknown>>();

  constructor(
    private readonly parts: ScheduleParts,
    private readonly workflows: ScheduledWorkflows,
    /** A schedule is due at that time, epoch ms; 0 = never. */
    private readonly planned: (key: ScheduleKey, dueAtMs: number) => void,
  ) {}

  /** False when the id is taken; true also when this request has created it before. */
  async create(namespaceId: number, requestId: string, state: ScheduleState): Promise<boolean> {
    const { store } = this.parts;
    const { dueAtMs } = decide(state, state.createdMs, { type: 'tick' });
    if ((await store.schedules.create({ namespaceId, requestId, state, dueAtMs })) === 'taken') return false;
    this.planned({ namespaceId, scheduleId: state.scheduleId }, dueAtMs);
    return true;
  }

  /** The committed state after the event; null when there is no such schedule. */
  change(key: ScheduleKey, event: Event): Promise<ScheduleState | null> {
    return this.inTurn(key, () => this.decideAndCommit(key, event));
  }

  /** False when there is no such schedule. */
  remove(key: ScheduleKey): Promise<boolean> {
    return this.inTurn(key, async () => {
      for (let race = 0; ; race++) {
        const loaded = await this.parts.store.schedules.load(key);
        // Gone after a try of ours: the answer to that was lost.
        if (loaded === null) return race > 0;
        if (await this.removeLoaded(loaded)) return true;
        await pauseAfter(race);
      }
    });
  }

  /** Its time has come: slots, retries, and a look at the workflows that it waits for. */
  async tick(key: ScheduleKey): Promise<void> {
    await this.change(key, async (state, dueAtMs) => {
      if (dueAtMs === 0 || dueAtMs > this.parts.store.nowMs()) {
        // Somebody else was here, or it has been changed.
        this.planned(key, dueAtMs);
        return null;
      }
      const ends = await Promise.all(state.running.map((running) => this.workflows.endOf(key.namespaceId, running)));
      const known = ends.filter((end) => end !== null);
      return known.length > 0 ? { type: 'ended', ends: known } : { type: 'tick' };
    });
  }

  /** A chain that a schedule has started (or so its search attribute says) has ended. */
  async ended(scheduleId: string, run: RunHandle): Promise<void> {
    const key = { namespaceId: run.namespaceId, scheduleId };
    const { firstRunId } = run.state;
    await this.change(key, async ({ running, recent }) => {
      const itsOwn = [...running, ...recent].find((started) => started.firstRunId === firstRunId);
      const end = itsOwn === undefined ? null : await this.workflows.endOf(key.namespaceId, itsOwn);
      return end === null ? null : { type: 'ended', ends: [end] };
    });
  }

  private inTurn<R>(key: ScheduleKey, work: () => Promise<R>): Promise<R> {
    const id = `${key.namespaceId}/${key.scheduleId}`;
    const turn = (this.last.get(id) ?? Promise.resolve()).then(work);
    const settled = turn
      .catch(() => undefined)
      .then(() => {
        if (this.last.get(id) === settled) this.last.delete(id);
      });
    this.last.set(id, settled);
    return turn;
  }

  private async decideAndCommit(key: ScheduleKey, event: Event): Promise<ScheduleState | null> {
    const { store } = this.parts;
    for (let race = 0; ; race++) {
      const loaded = await store.schedules.load(key);
      if (loaded === null) return null;
      const { state, version } = loaded;
      const happened = await event(state, loaded.dueAtMs);
      if (happened === null) return state;
      const { slots, starts, endings, dueAtMs, expired } = decide(state, store.nowMs(), happened);
      if (expired) {
        if (await this.removeLoaded(loaded)) return null;
      } else if (await store.schedules.commit({ uuid: state.uuid, expectedVersion: version, state, dueAtMs, slots })) {
        this.planned(key, dueAtMs);
        this.perform(key, state, starts, endings);
        return state;
      }
      await pauseAfter(race);
    }
  }

  private removeLoaded({ state: { uuid }, version }: LoadedSchedule): Promise<boolean> {
    return this.parts.store.schedules.commit({ uuid, expectedVersion: version, state: null, dueAtMs: 0, slots: [] });
  }

  /** Nobody waits for it. What fails without an answer is taken on again when it is overdue. */
  private perform(key: ScheduleKey, state: ScheduleState, starts: PendingStart[], endings: RunningWorkflow[]): void {
    const report = (event: ScheduleEvent): Promise<unknown> =>
      this.change(key, ({ uuid }) => (uuid === state.uuid ? event : null));
    for (const start of starts) {
      this.workflows
        .start(key.namespaceId, state, start)
        .then(async (event) => {
          if (event === null) return;
          await report(event);
          if (event.type !== 'started' || !start.tracked) return;
          await this.mayHaveEnded(key, { workflowId: start.workflowId, firstRunId: event.firstRunId });
        })
        .catch(later);
    }
    for (const running of endings) {
      this.workflows
        .end(key.namespaceId, state, running)
        .then(async (wasRunning) => {
          await report({ type: 'endingRequested', firstRunId: running.firstRunId });
          if (!wasRunning) await this.mayHaveEnded(key, running);
        })
        .catch(later);
    }
  }

  /** It may have ended before the schedule knew of it: then its end was told in vain. */
  private async mayHaveEnded(key: ScheduleKey, chain: { workflowId: string; firstRunId: string }): Promise<void> {
    if (this.workflows.runsHere(chain.firstRunId)) return;
    const end = await this.workflows.endOf(key.namespaceId, chain);
    if (end !== null) await this.change(key, () => ({ type: 'ended', ends: [end] }));
  }
}

/** What is left undone is in the schedule's row, with the time to try it again. */
const later = (): void => undefined;

async function pauseAfter(race: number): Promise<void> {
  if (race < QUICK_RACES) return;
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * (1 + Math.random())));
}

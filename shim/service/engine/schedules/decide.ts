/**
 * Everything that can happen to a schedule, and what follows (scheduler/workflow.go). Pure; changes the state that it is given, which is
 * dropped when its commit fails. What is to be done to workflows is in the state (`pending`, `running[].ending`) until it is known to be done.
 */
import { temporal } from '@temporalio/proto';
import { Status } from '../types';
import { decideOverlap } from './overlap';
import { SlotLog } from './slot-log';
import type { Slot } from './spec';
import { mayAct, rfc3339, slotsAfter, timesOf } from './times';
import type { BufferedStart, ChainEnd, Decision, Overlap, ScheduleEvent, SchedulePatch, ScheduleState } from './types';

import Policy = temporal.api.enums.v1.ScheduleOverlapPolicy;

const ALLOW_ALL = Policy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL;
const UNSPECIFIED = Policy.SCHEDULE_OVERLAP_POLICY_UNSPECIFIED;

/** Starts that wait, and backfills. */
const MAX_BUFFERED = 1000;
/** Backfills leave the other half of the buffer to the schedule's own times. */
const MAX_BACKFILLED = MAX_BUFFERED / 2;
/** Workflows that backfills start at once: so many in each pause. */
const ALLOW_ALL_PER_PASS = 10;
const BACKFILL_PAUSE_MS = 1000;
const MAX_RECENT = 10;
const MAX_REQUEST_IDS = 20;
/** In place of the time it was taken on. */
const NOT_TAKEN = 1;
/** Slots dealt with in one decision. */
const MAX_PER_PASS = 10_000;
/** What was decided and is not known to be done is tried again after this long: its process has died, or the database was away. */
const RETRY_MS = 5000;
/** Ends of workflows are told. In case one was not, those that others wait for are looked at this often. */
const WATCH_MS = 60_000;
/** A schedule that can do no more is kept for a week. */
const RETENTION_MS = 7 * 24 * 3_600_000;

/** @param nowMs by the store's clock */
export function decide(state: ScheduleState, nowMs: number, event: ScheduleEvent): Decision {
  return new Deciding(state, nowMs).decide(event);
}

/** Takes the event in and leaves what follows from it to the next look: gives when that is due, epoch ms; 0 = only when something happens. */
export function leave(state: ScheduleState, nowMs: number, event: ScheduleEvent): number {
  return new Deciding(state, nowMs).leave(event);
}

class Deciding {
  private readonly log: SlotLog;
  /** Some slots up to now were left for the next decision. */
  private moreSlots = false;

  constructor(
    private readonly state: ScheduleState,
    private readonly nowMs: number,
  ) {
    this.log = new SlotLog(state);
  }

  decide(event: ScheduleEvent): Decision {
    // What has come to pass is by the old rules.
    this.passTime();
    this.apply(event);
    this.takeBackfills();
    this.takeBuffered();
    const work = this.takeWork();
    const dueAtMs = this.nextDue();
    const expired = this.expires(dueAtMs) && this.expiryMs() <= this.nowMs;
    return { slots: this.log.records, ...work, dueAtMs: this.expires(dueAtMs) ? this.expiryMs() : dueAtMs, expired };
  }

  leave(event: ScheduleEvent): number {
    const { state, nowMs } = this;
    this.apply(event);
    if (state.buffered.length + state.backfills.length > 0) return nowMs;
    const dueAtMs = this.nextDue();
    return this.expires(dueAtMs) ? this.expiryMs() : dueAtMs;
  }

  private apply(event: ScheduleEvent): void {
    const { state } = this;
    switch (event.type) {
      case 'tick':
        return;
      case 'patch':
        if (this.isNew(event.requestId)) this.patch(event.patch);
        return;
      case 'update':
        if (!this.isNew(event.requestId)) return;
        Object.assign(state, event.config);
        state.memo = event.memo ?? state.memo;
        state.searchAttributes = event.searchAttributes ?? state.searchAttributes;
        state.updatedMs = this.nowMs;
        state.conflictToken++;
        // Slots of the new spec that act from now on may lie in the time that the old one has passed.
        return;
      case 'started':
        return this.started(event.slot, event.firstRunId, event.startedMs);
      case 'startFailed': {
        const start = this.takePending(event.slot);
        if (start !== undefined) this.log.outcome(start, 'start failed', { message: event.message });
        return;
      }
      case 'endingRequested':
        for (const running of state.running) if (running.firstRunId === event.firstRunId) running.endingTakenMs = 0;
        return;
      case 'ended':
        for (const end of event.ends) this.ended(end);
        return;
    }
  }

  private isNew(requestId: string): boolean {
    const { requestIds } = this.state;
    if (requestId === '') return true;
    if (requestIds.includes(requestId)) return false;
    requestIds.push(requestId);
    if (requestIds.length > MAX_REQUEST_IDS) requestIds.shift();
    return true;
  }

  /** Slots that have come up to now. */
  private passTime(): void {
    const { state } = this;
    const toMs = Math.max(this.nowMs, state.processedMs);
    const acting = mayAct(state);
    const reason = state.paused ? 'paused' : 'no actions left';
    let count = 0;
    for (const slot of slotsAfter(state, state.processedMs)) {
      if (slot.actionMs > toMs) break;
      if (acting && count === MAX_PER_PASS) {
        this.moreSlots = true;
        return;
      }
      count++;
      if (!acting) {
        this.log.passed(slot, reason, false);
        if (count === MAX_PER_PASS) break;
        continue;
      }
      if (toMs - slot.actionMs > state.policies.catchupWindowMs) {
        state.missedCatchupWindow++;
        this.log.passed(slot, 'missed catch-up window', false);
      } else {
        this.add(slot, UNSPECIFIED, false);
      }
      state.processedMs = slot.actionMs;
    }
    if (!acting) state.processedMs = toMs;
  }

  private patch({ trigger, backfills, pause, unpause }: SchedulePatch): void {
    const { state } = this;
    if (trigger !== null) {
      this.add({ nominalMs: trigger.scheduledMs, actionMs: trigger.scheduledMs }, trigger.overlapPolicy, true);
    }
    for (const { startMs, endMs, overlapPolicy } of backfills) {
      if (state.backfills.length >= MAX_BUFFERED) state.bufferDropped++;
      // The start is part of it.
      else state.backfills.push({ afterMs: startMs - 1, endMs, overlapPolicy });
    }
    if (pause !== '') this.setPaused(true, pause);
    if (unpause !== '') this.setPaused(false, unpause);
  }

  private setPaused(paused: boolean, notes: string): void {
    const { state } = this;
    state.paused = paused;
    state.notes = notes;
    state.conflictToken++;
  }

  private add(slot: Slot, overlapPolicy: Overlap, manual: boolean): void {
    const { state } = this;
    if (state.buffered.length >= MAX_BUFFERED) {
      state.bufferDropped++;
      this.log.passed(slot, 'buffer full', manual);
      return;
    }
    const { nominalMs, actionMs } = slot;
    state.buffered.push({ slot: ++state.slotCount, nominalMs, actionMs, overlapPolicy, manual, waiting: false });
  }

  private started(slot: number, firstRunId: string, startedMs: number): void {
    const { state } = this;
    const start = this.takePending(slot);
    if (start === undefined) return;
    const { workflowId, actionMs, tracked } = start;
    state.actionCount++;
    state.recent.push({ actionMs, startedMs, workflowId, firstRunId, status: Status.Running });
    if (state.recent.length > MAX_RECENT) state.recent.shift();
    if (tracked) state.running.push({ workflowId, firstRunId, ending: 'no', endingTakenMs: 0 });
    this.log.outcome(start, 'fired', { workflowId, firstRunId });
  }

  private takePending(slot: number): ScheduleState['pending'][number] | undefined {
    const { pending } = this.state;
    const index = pending.findIndex((start) => start.slot === slot);
    return index < 0 ? undefined : pending.splice(index, 1)[0];
  }

  private ended({ workflowId, firstRunId, status, result, failure }: ChainEnd): void {
    const { state } = this;
    for (const action of state.recent) if (action.firstRunId === firstRunId) action.status = status;
    const index = state.running.findIndex((running) => running.firstRunId === firstRunId);
    if (index < 0) return;
    state.running.splice(index, 1);
    if (state.policies.pauseOnFailure && !state.paused) {
      if (status === Status.Failed) {
        this.setPaused(true, `paused due to workflow failure: ${workflowId}: ${failure?.message ?? ''}`);
      } else if (status === Status.TimedOut) {
        this.setPaused(true, `paused due to workflow timeout: ${workflowId}`);
      }
    }
    if (result !== null) {
      state.lastCompletionResult = result;
      state.continuedFailure = null;
    } else if (failure !== null) {
      state.continuedFailure = failure;
    }
  }

  private takeBackfills(): void {
    const { state } = this;
    const times = timesOf(state);
    let atOnce = this.nowMs < state.backfilledMs + BACKFILL_PAUSE_MS ? ALLOW_ALL_PER_PASS : 0;
    while (state.backfills.length > 0 && state.buffered.length < MAX_BACKFILLED) {
      const backfill = state.backfills[0]!;
      const slot = times.next(backfill.afterMs);
      if (slot === null || slot.actionMs > backfill.endMs) {
        state.backfills.shift();
        continue;
      }
      if (this.policyOf(backfill) === ALLOW_ALL) {
        if (atOnce++ >= ALLOW_ALL_PER_PASS) return;
        state.backfilledMs = this.nowMs;
      }
      this.add(slot, backfill.overlapPolicy, true);
      backfill.afterMs = slot.actionMs;
    }
  }

  /** Decides on what waits, until nothing more can be said before a workflow ends. */
  private takeBuffered(): void {
    const { state, log } = this;
    for (let again = true; again && state.buffered.length > 0;) {
      again = false;
      if (state.startWorkflow === null) {
        for (const start of state.buffered)
          log.outcome(start, 'start failed', { message: 'The schedule has no action.' });
        state.buffered = [];
        return;
      }
      // While it is not known whether the last start came about, the others cannot be judged by it.
      const unsure = state.pending.some(({ tracked }) => tracked);
      const ripe = (start: BufferedStart): boolean => !unsure || this.policyOf(start) === ALLOW_ALL;
      const unripe = state.buffered.filter((start) => !ripe(start));
      const { overlapping, alone, waiting, skipped, replaced, end } = decideOverlap(
        state.buffered.filter(ripe),
        state.running.length > 0,
        (start) => this.policyOf(start),
      );
      state.overlapSkipped += skipped.length;
      for (const start of [...skipped, ...replaced]) log.outcome(start, 'overlap skipped');
      state.buffered = [...waiting, ...unripe];
      for (const start of waiting) {
        if (!start.waiting) log.outcome(start, 'buffered');
        start.waiting = true;
      }
      for (const start of alone === null ? overlapping : [...overlapping, alone]) {
        if (this.mayStart(start)) this.begin(start, start === alone);
        else again = true;
      }
      if (end !== 'no') this.end(end);
    }
  }

  private mayStart(start: BufferedStart): boolean {
    const { state, log } = this;
    if (start.manual) return true;
    if (!mayAct(state)) {
      log.outcome(start, state.paused ? 'paused' : 'no actions left');
      return false;
    }
    if (state.limitedActions) {
      state.remainingActions--;
      state.conflictToken++;
    }
    return true;
  }

  private begin(start: BufferedStart, tracked: boolean): void {
    const { state } = this;
    const id = state.startWorkflow?.workflowId ?? '';
    const workflowId = state.policies.keepOriginalWorkflowId ? id : `${id}-${rfc3339(start.nominalMs)}`;
    state.pending.push({ ...start, workflowId, tracked, takenMs: NOT_TAKEN, tries: 0 });
  }

  private end(how: 'cancel' | 'terminate'): void {
    for (const running of this.state.running) {
      if (running.ending === how || running.ending === 'terminate') continue;
      running.ending = how;
      running.endingTakenMs = NOT_TAKEN;
    }
  }

  /** What nobody has taken on yet, or who did is not heard of any more. */
  private takeWork(): Pick<Decision, 'starts' | 'endings'> {
    const { state, nowMs } = this;
    const starts = state.pending.filter(({ takenMs }) => takenMs + RETRY_MS <= nowMs);
    for (const start of starts) {
      start.takenMs = nowMs;
      start.tries++;
    }
    const endings = state.running.filter(({ endingTakenMs: ms }) => ms !== 0 && ms + RETRY_MS <= nowMs);
    for (const running of endings) running.endingTakenMs = nowMs;
    return { starts: [...starts], endings: [...endings] };
  }

  private policyOf({ overlapPolicy }: { overlapPolicy: Overlap }): Overlap {
    return overlapPolicy === UNSPECIFIED ? this.state.policies.overlapPolicy : overlapPolicy;
  }

  private nextDue(): number {
    const { state, nowMs } = this;
    let dueAtMs = state.buffered.length > 0 ? nowMs + WATCH_MS : Infinity;
    for (const { takenMs } of state.pending) dueAtMs = Math.min(dueAtMs, takenMs + RETRY_MS);
    for (const { endingTakenMs: ms } of state.running) if (ms !== 0) dueAtMs = Math.min(dueAtMs, ms + RETRY_MS);
    if (state.backfills.length > 0 && state.buffered.length < MAX_BACKFILLED) {
      dueAtMs = Math.min(dueAtMs, Math.max(nowMs, state.backfilledMs + BACKFILL_PAUSE_MS));
    }
    if (this.moreSlots) return nowMs;
    if (mayAct(state)) {
      for (const { actionMs } of slotsAfter(state, state.processedMs)) {
        dueAtMs = Math.min(dueAtMs, actionMs);
        break;
      }
    }
    return dueAtMs === Infinity ? 0 : dueAtMs;
  }

  private expires(dueAtMs: number): boolean {
    return dueAtMs === 0 && !this.state.paused;
  }

  private expiryMs(): number {
    const { state } = this;
    const lastAction = state.recent.at(-1)?.startedMs ?? 0;
    return Math.max(lastAction, state.createdMs, state.updatedMs) + RETENTION_MS;
  }
}

/** The local activities of a run that are queued, running, or known from markers ahead. */
import { resultOfMarker } from './local-activity-outcome';
import type { LocalActivityResult } from './local-activity-outcome';
import type { LocalActivityMarker } from './markers';
import type { CoreAction, LocalActivityRequest } from './types';

export class LocalActivities {
  private queued: LocalActivityRequest[] = [];
  private cancels: number[] = [];
  private readonly running = new Set<number>();
  /** Told to the runner by `cancelAll` already. */
  private readonly cancelled = new Set<number>();
  /** Results from markers ahead, in the order of the markers. */
  private readonly ahead: { seq: number; result: LocalActivityResult }[] = [];
  private workflowEnding = false;

  queue(activity: LocalActivityRequest): void {
    this.queued.push(activity);
  }

  /** The workflow ends with this task: nothing new is run and nothing is waited for. */
  endWorkflow(): void {
    this.workflowEnding = true;
  }

  cancel(seq: number): void {
    if (this.running.has(seq)) this.cancels.push(seq);
  }

  /** Takes a request back that the runner has not got yet. */
  unqueue(seq: number): boolean {
    const at = this.queued.findIndex((activity) => activity.seq === seq);
    if (at < 0) return false;
    this.queued.splice(at, 1);
    return true;
  }

  /** It reported its outcome, or was abandoned. */
  done(seq: number): void {
    this.unqueue(seq);
    this.running.delete(seq);
  }

  /** How many the open workflow task waits for. */
  get outstanding(): number {
    return this.workflowEnding ? 0 : this.running.size + this.queued.length;
  }

  /** Hands the pending starts and cancellations to the runner. */
  drain(): CoreAction[] {
    if (this.workflowEnding) return this.cancelAll();
    if (this.queued.length === 0 && this.cancels.length === 0) return [];
    const actions: CoreAction[] = this.cancels.map((seq) => ({ type: 'cancelLocalActivity', seq }));
    for (const activity of this.queued) {
      this.running.add(activity.seq);
      actions.push({ type: 'startLocalActivity', activity });
    }
    this.cancels = [];
    this.queued = [];
    return actions;
  }

  /** Cancels all that run, each once. They stay outstanding: the task must not be completed as if they had ended. */
  cancelAll(): CoreAction[] {
    const actions: CoreAction[] = [];
    for (const seq of this.running) {
      if (this.cancelled.has(seq)) continue;
      this.cancelled.add(seq);
      actions.push({ type: 'cancelLocalActivity', seq });
    }
    return actions;
  }

  addMarkerAhead(marker: LocalActivityMarker): void {
    this.ahead.push({ seq: marker.seq, result: resultOfMarker(marker) });
  }

  /** The activity that the first marker ahead is for. */
  get nextAhead(): number | undefined {
    return this.ahead[0]?.seq;
  }

  takeAhead(seq: number): LocalActivityResult | undefined {
    const at = this.ahead.findIndex((entry) => entry.seq === seq);
    return at < 0 ? undefined : this.ahead.splice(at, 1)[0]?.result;
  }
}

/** Work between runs that follows a commit. What is not done when the process dies is found again in the run's state. */
import { Status } from '../engine/types';
import type { FollowUp } from '../runs/hooks';
import type { RunHandle } from '../runs/run-handle';
import { startChild } from './children';
import { callExternal } from './externals';
import { meetObligations } from './obligations';
import type { TransferParts } from './transfer-parts';

export class Transfers {
  /** Under way, so that recovery does not start the same twice at once: `run/initiated event`. */
  private readonly underWay = new Map<string, Promise<void>>();

  constructor(
    private readonly parts: TransferParts,
    /** The run's work could not be done now (the database is away): to be found again from its state. */
    private readonly later: (runId: string) => void,
  ) {}

  follow(run: RunHandle, effect: FollowUp): void {
    if (effect.type === 'closed') this.perform(run, 'closed', () => this.meetObligations(run));
    else if (effect.type === 'startChild') {
      this.perform(run, `child/${effect.initiatedEventId}`, () => startChild(this.parts, run, effect.initiatedEventId));
    } else if (run.state.status === Status.Running) {
      // The signals of a run that closed at once are among its obligations.
      this.perform(run, `external/${effect.initiatedEventId}`, () =>
        callExternal(this.parts, run, effect.initiatedEventId),
      );
    }
  }

  /** Everything the state says is still to be done. */
  followAll(run: RunHandle): void {
    const { state } = run;
    if (state.status !== Status.Running) {
      if (state.obligations.length > 0) this.follow(run, { type: 'closed' });
      return;
    }
    for (const child of Object.values(state.children)) {
      if (child.startedEventId === 0)
        this.follow(run, { type: 'startChild', initiatedEventId: child.initiatedEventId });
    }
    for (const { initiatedEventId } of Object.values(state.externals)) {
      this.follow(run, { type: 'callExternal', initiatedEventId });
    }
  }

  /** A run that closed because of its parent's signal or cancel request: the parent hears first that it was delivered, then of the end. */
  private async meetObligations(run: RunHandle): Promise<void> {
    const calls = `${run.state.parent?.runId}/external/`;
    await Promise.all([...this.underWay].map(([key, work]) => (key.startsWith(calls) ? work : undefined)));
    await meetObligations(this.parts, run);
  }

  private perform(run: RunHandle, what: string, work: () => Promise<void>): void {
    const key = `${run.runId}/${what}`;
    if (this.underWay.has(key)) return;
    const done = work()
      .catch(() => this.later(run.runId))
      .finally(() => this.underWay.delete(key));
    this.underWay.set(key, done);
  }
}

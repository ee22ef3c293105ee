/** What the rest of the service does with the runs' changes. */
import type { Effect, Transition } from '../engine/types';
import type { Change } from './change';
import type { RunHandle } from './run-handle';

/** Effects that reach other runs; carried out after the commit, found again in the state after a crash. */
export type FollowUp = Extract<Effect, { type: 'startChild' | 'callExternal' | 'closed' }>;

export interface RunHooks {
  /** Work was scheduled in this transition: hand it to a local poller, keep it for one, or write a row. */
  dispatch(t: Transition, change: Change): void;
  /** The same for all unstarted work of the state, whoever had it before. */
  redispatch(t: Transition, change: Change): void;
  follow(run: RunHandle, effect: FollowUp): void;
  /** The run has committed something. */
  committed(run: RunHandle): void;
  /** Memory of the run was given up: its unstarted work must be found again from the durable state. */
  lost(runId: string): void;
  /** Does what the run's inbox holds; the rest is tried again later. Never throws. */
  deliver(runId: string): Promise<void>;
}

/** A change asked of a run, kept until it is durable so that it can be decided again after a lost race. */
import type { HistoryEvent, Transition } from '../engine/types';
import type { MutateOptions } from '../types';
import type { Change } from './change';

export interface Operation {
  runId: string;
  decide: (t: Transition, change: Change, startedEvent: HistoryEvent | undefined) => unknown;
  options: MutateOptions | undefined;
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
  /** Decided at once or not again: what to do instead of deciding again when the race was lost. */
  dropped?: () => void;
  /** The state it was refused on has been read afresh, so the refusal stands. */
  verified?: boolean;
}

/** Moves of schedules between engines. See migrations/0001_foundation.sql, "Moves of schedules between engines". */

export type ScheduleMoveStep =
  'begun' | 'ready' | 'cutting' | 'cut' | 'drained' | 'active' | 'filled' | 'done' | 'undone';

export interface ScheduleMoveRow {
  id: string;
  namespace: string;
  scheduleId: string;
  from: string;
  to: string;
  step: ScheduleMoveStep;
  /** Times up to this one are started by `from`, later ones by `to`, epoch ms; null = not decided yet. */
  cutMs: number | null;
  /** Plain data that survives JSON. */
  state: object;
  movedBy: string;
  reason: string;
  begunMs: number;
  changedMs: number;
}

export type NewScheduleMove = Pick<
  ScheduleMoveRow,
  'id' | 'namespace' | 'scheduleId' | 'from' | 'to' | 'state' | 'movedBy' | 'reason'
>;

/** A mover holds a move for `holdMs` at a time: what it knows is saved, and held on to, only while nobody else has taken it. */
export interface ScheduleMoveStore {
  /** Held by `holder`. Null when one of the schedule is open. */
  begin(move: NewScheduleMove, holder: string, holdMs: number): Promise<ScheduleMoveRow | null>;
  /** The move as it stands, now held by `holder`; null when another holds it, or it is over. */
  take(id: string, holder: string, holdMs: number): Promise<ScheduleMoveRow | null>;
  /** False when another holds it. A move that is over is nobody's. */
  save(
    id: string,
    holder: string,
    holdMs: number,
    next: Pick<ScheduleMoveRow, 'step' | 'cutMs' | 'state'>,
  ): Promise<boolean>;
  /** Nobody holds it any more, so that the next may take it at once. */
  letGo(id: string, holder: string): Promise<void>;
  /** The open move of a schedule; null = none. */
  openMove(namespace: string, scheduleId: string): Promise<ScheduleMoveRow | null>;
  /** Of all schedules, oldest first. `unheld`: only those that nobody works on. */
  openMoves(unheld: boolean, limit: number): Promise<ScheduleMoveRow[]>;
  /** Newest first. */
  movesOf(namespace: string, scheduleId: string, limit: number): Promise<ScheduleMoveRow[]>;
}

/** Runs that stand for a workflow of the same id on another engine (children across engines). */

export interface StandIn {
  /** The run that stands for the other one, and its engine. */
  runId: string;
  engine: string;
  namespace: string;
  workflowId: string;
  startedOn: string;
  /** The run that it stands for; null = nobody knows yet whether it was started. */
  startedRunId: string | null;
}

export interface StandInStore {
  /** Before the start; may be repeated. */
  put(standIn: Omit<StandIn, 'startedRunId'>): Promise<void>;
  /** False when it was dropped meanwhile. */
  started(runId: string, startedRunId: string): Promise<boolean>;
  /** Both are over. */
  drop(runId: string): Promise<void>;
  /** Those that nobody looked at for `everyMs`; they count as looked at from now on. */
  look(everyMs: number, limit: number): Promise<StandIn[]>;
}

/** What the router keeps of the load of this Postgres. See migrations/0001_foundation.sql, "The load guard". */

/** As Postgres says it. */
export interface LoadCounters {
  /** Client connections to the whole server. */
  connections: number;
  /** Transactions that wrote, since ever, of the whole server. */
  writes: number;
  /** Of Branchline's tables, as the statistics estimate them. */
  deadTuples: number;
  /** Of the slowest replica; 0 without one; null when it was not asked or may not be seen. */
  replicationLagSeconds: number | null;
}

export interface LoadState {
  phase: 'calm' | 'pressed' | 'diverting' | 'easing';
  /** When the phase began, epoch ms. */
  sinceMs: number;
  /** Last look, by name of the budget. */
  load: Record<string, number>;
  reasons: string[];
}

/** What the last look said. */
export interface LoadVerdict extends LoadState {
  diverting: boolean;
  /** How long ago that look was. */
  ageMs: number;
  /** Who looks. */
  sampler: string;
}

/** Starts began or ceased to be diverted. */
export interface LoadEvent {
  mode: string;
  diverting: boolean;
  reasons: string[];
  load: Record<string, number>;
}

export interface LoadStore {
  /**
   * True: `sampler` is the one that looks, for `leaseMs` from now, and the last look is `pauseMs` old at least. Only one at a time is.
   */
  claim(sampler: string, leaseMs: number, pauseMs: number): Promise<boolean>;
  release(sampler: string): Promise<void>;
  counters(withReplication: boolean): Promise<LoadCounters>;
  /** False when it is not the one that looks any more: nothing was written. With an event it is told to everybody. */
  write(sampler: string, next: LoadState & { event: LoadEvent | null }): Promise<boolean>;
  /** Null: nobody has looked yet. */
  read(): Promise<LoadVerdict | null>;
  /** Newest first. */
  events(limit: number): Promise<(LoadEvent & { atMs: number })[]>;
}

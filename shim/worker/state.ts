/** The worker's life, and something that can be watched. */

/**
 * `INITIALIZED`: created. `RUNNING`: polling. `STOPPING`: shutdown was asked for. `DRAINING`: no more polls, tasks under way
 * are finished. `DRAINED`: nothing is under way. `STOPPED`: `run` resolves. `FAILED`: `run` rejects.
 */
export type State = 'INITIALIZED' | 'RUNNING' | 'STOPPED' | 'STOPPING' | 'DRAINING' | 'DRAINED' | 'FAILED';

export type PollerState = 'POLLING' | 'SHUTDOWN' | 'FAILED';

/** Status overview of a worker. */
export interface WorkerStatus {
  runState: State;
  workflowPollerState: PollerState;
  activityPollerState: PollerState;
  hasOutstandingWorkflowPoll: boolean;
  hasOutstandingActivityPoll: boolean;
  numInFlightWorkflowActivations: number;
  /** Local ones included. */
  numInFlightActivities: number;
  numInFlightNonLocalActivities: number;
  numInFlightLocalActivities: number;
  numCachedWorkflows: number;
  numHeartbeatingActivities: number;
}

/** What the activities behind children on other engines are called, and what they are given. Imported by workflow code too: no imports here. */
export const WHERE = 'branchlineWhereChild';
export const START = 'branchlineStartChild';
export const AWAIT = 'branchlineAwaitChild';

/** Type of the failure that carries how the workflow failed as its cause. */
export const FAILED = 'BranchlineChildFailed';

export const STAND_IN_CLOSED = 'what stood for it on the engine of its parent is closed';
/** Who starts a workflow that a run stands for. */
export const standInIdentity = (runId: string): string => `branchline-stand-in/${runId}`;

/** A workflow that stands for one of the same id on another engine. */
export interface Stub {
  workflowId: string;
  runId: string;
}
export interface WhereInput extends Stub {
  workflowType: string;
  taskQueue: string;
  /** A run that follows another one of its id: it stays where that was. */
  follows: boolean;
}
export interface StartInput extends Stub {
  engine: string;
}
export interface AwaitInput extends Stub {
  /** The run that was started. */
  startedRunId: string;
}

/** What the activities that reach other engines are called, and what they are given. Imported by workflow code too: no imports here. */
export const SIGNAL = 'branchlineSignalElsewhere';
export const CANCEL = 'branchlineCancelElsewhere';
export const EXECUTE = 'branchlineExecuteElsewhere';

export interface SignalInput {
  workflowId: string;
  signalName: string;
  args: unknown[];
}
export interface CancelInput {
  workflowId: string;
  how: 'requestCancel' | 'terminate';
  /** It may be closed, or never have been started. */
  mayBeGone: boolean;
}
export interface ExecuteInput {
  workflowType: string;
  taskQueue: string;
  args: unknown[];
  workflowId: string;
  onCancel: 'requestCancel' | 'terminate' | 'abandon';
}

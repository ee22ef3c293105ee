/** What all commands of one completed workflow task share. */
import type { HistoryEvent } from '../types';

export interface CommandContext {
  /** Event id of WorkflowTaskCompleted. */
  completedEventId: number;
  /** Of the worker that completed the task. */
  identity: string;
  /**
   * Something the workflow has not seen (buffered events, updates of callers' transactions): commands that close the run are refused with UNHANDLED_COMMAND.
   * Cancelling a timer whose firing was all that waited clears it.
   */
  unhandled: boolean;
  /** Workflow ids of children started by earlier commands of this task: they cannot be cancelled in the same one. */
  startedChildren: Set<string>;
  /** The WorkflowExecutionStarted event; asked for only when a retry policy or cron schedule starts a next run. */
  startedEvent: () => HistoryEvent;
}

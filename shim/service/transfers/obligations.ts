/** What a closed run still owes: news to its parent and its schedule, and its parent-close policy to its children. */
import type { RunHandle } from '../runs/run-handle';
import { startChild } from './children';
import { callExternal } from './externals';
import { applyPolicy } from './parent-close';
import { isNotFound, type TransferParts } from './transfer-parts';

/** Meets all obligations of a closed run, one after the other; each is struck out when it is met. */
export async function meetObligations(parts: TransferParts, closed: RunHandle): Promise<void> {
  const { engine, runs } = parts;
  for (const obligation of [...closed.state.obligations]) {
    switch (obligation.kind) {
      case 'notifyParent':
        await notifyParent(parts, closed);
        break;
      case 'notifySchedule':
        await parts.scheduledChainEnded(obligation.scheduleId, closed);
        break;
      case 'startChild':
        await startChild(parts, closed, obligation.initiatedEventId);
        break;
      case 'signalExternal':
        await callExternal(parts, closed, obligation.initiatedEventId);
        break;
      case 'parentClose':
        await applyPolicy(parts, closed, obligation);
        break;
    }
  }
  try {
    await runs.change(
      closed.runId,
      (t, change) => {
        if (t.state.obligations.length === 0) return change.unchanged();
        while (t.state.obligations.length > 0) engine.obligationDone(t, 0);
      },
      { allowClosed: true },
    );
  } catch (error) {
    // Another process met them as well.
    if (!isNotFound(error)) throw error;
  }
}

async function notifyParent(parts: TransferParts, closed: RunHandle): Promise<void> {
  const { engine, runs } = parts;
  const { state } = closed;
  const { parent } = state;
  if (parent === null) return;
  const closeEvent = await closed.event(state.closeEventId);
  const child = { workflowId: state.workflowId, runId: state.runId, workflowType: state.workflowType };
  const { id: namespaceId } = await parts.namespace(parent.namespace);
  for (let runId: string | null = parent.runId; runId !== null;) {
    const wasReset = runId !== parent.runId;
    try {
      await runs.change(runId, (t, change) => {
        const known = t.state.children[String(parent.initiatedEventId)];
        // After a reset the same id may be another child.
        if (wasReset && known?.runId !== state.firstRunId) return change.unchanged();
        if (known?.startedEventId === 0) engine.childStarted(t, parent.initiatedEventId, state.firstRunId, null);
        if (!engine.childClosed(t, parent.initiatedEventId, child, closeEvent)) change.unchanged();
      });
      return;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      // The parent has closed. Unless it was reset, nobody waits for the news.
      runId = await parts.store.resetOf(namespaceId, parent.workflowId, runId);
    }
  }
}

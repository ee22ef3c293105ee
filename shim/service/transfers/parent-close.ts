/** Parent-close policy: what becomes of a child when its parent has closed. */
import { temporal } from '@temporalio/proto';
import { type Obligation, Status } from '../engine/types';
import type { RunHandle } from '../runs/run-handle';
import { isNotFound, type TransferParts } from './transfer-parts';

const Policy = temporal.api.enums.v1.ParentClosePolicy;
const IDENTITY = 'history-service';
const REASON = 'by parent close policy';

/** Cancels or terminates the current run of the child's chain, if it is (still) this parent's child. A child that has closed or never started is no error. */
export async function applyPolicy(
  parts: TransferParts,
  parent: RunHandle,
  { child, policy, initiatedEventId }: Omit<Extract<Obligation, { kind: 'parentClose' }>, 'kind'>,
): Promise<void> {
  const { engine, runs, store } = parts;
  if (policy === Policy.PARENT_CLOSE_POLICY_ABANDON) return;
  try {
    const { id } = await parts.namespace(child.namespace);
    const current = await store.currentRun(id, child.workflowId);
    if (current === null || current.status !== Status.Running) return;
    await runs.change(current.runId, (t, change) => {
      const { parent: of, firstRunId } = t.state;
      // A run made by a reset also has the children that the run before it began.
      const begunBefore =
        parent.state.baseRunId !== '' && child.runId !== '' && of?.workflowId === parent.state.workflowId;
      const ours = of?.initiatedEventId === initiatedEventId && (of.runId === parent.runId || begunBefore);
      if (!ours || (child.runId !== '' && firstRunId !== child.runId)) return change.unchanged();
      if (policy !== Policy.PARENT_CLOSE_POLICY_REQUEST_CANCEL) {
        return engine.terminate(t, { reason: REASON, details: null, identity: IDENTITY });
      }
      const { workflowId, runId } = parent.state;
      const external = { workflowId, runId };
      if (!engine.requestCancel(t, { identity: IDENTITY, requestId: parts.newId(), reason: '', external })) {
        change.unchanged();
      }
    });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

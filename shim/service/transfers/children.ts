/** Starting child workflows after their parent's command is durable. */
import { temporal } from '@temporalio/proto';
import { Status, type Transition } from '../engine/types';
import type { RunHandle } from '../runs/run-handle';
import { applyPolicy } from './parent-close';
import { isNotFound, type TransferParts } from './transfer-parts';

const Reuse = temporal.api.enums.v1.WorkflowIdReusePolicy;
const Policy = temporal.api.enums.v1.ParentClosePolicy;
const Cause = temporal.api.enums.v1.StartChildWorkflowExecutionFailedCause;

/** A race with another starter of the id is tried again this often. */
const MAX_RACES = 20;

/**
 * Starts the child of an Initiated event and tells the parent how it went. Repeated after a crash it finds the run that the first time made,
 * by its request id. `parent.state` may be closed (an abandoned child is started all the same).
 */
export async function startChild(parts: TransferParts, parent: RunHandle, initiatedEventId: number): Promise<void> {
  const { engine, runs, store } = parts;
  const child = parent.state.children[String(initiatedEventId)];
  if (child === undefined || child.startedEventId !== 0) return;
  const { requestId, workflowId, namespace, parentClosePolicy } = child;
  const abandoned = parentClosePolicy === Policy.PARENT_CLOSE_POLICY_ABANDON;
  if (parent.state.status !== Status.Running && !abandoned) return;
  const initiatedEvent = await parent.event(initiatedEventId);
  const reusePolicy = initiatedEvent.startChildWorkflowExecutionInitiatedEventAttributes?.workflowIdReusePolicy;

  let namespaceId: number;
  try {
    namespaceId = (await parts.namespace(namespace)).id;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return failed(Cause.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND);
  }

  const begin = () => {
    const reading = engine.begin(parent.state, runs.engineContext(parent.namespaceId));
    return engine.start(
      engine.childStartInput(reading, initiatedEvent, parts.newId()),
      runs.engineContext(namespaceId),
    );
  };
  const reuse =
    reusePolicy === Reuse.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY
      ? 'allowDuplicateFailedOnly'
      : reusePolicy === Reuse.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
        ? 'rejectDuplicate'
        : 'allowDuplicate';

  for (let race = 0; race < MAX_RACES; race++) {
    const start = begin();
    const begun = await runs.create(namespaceId, start, reuse, { mayGoAhead: race === 0 });
    if (begun === 'created') return started(start.state.runId);
    const current = await store.currentRun(namespaceId, workflowId);
    if (current === null) continue;
    if (current.startRequestId === requestId) return started(current.runId);
    if (current.status !== Status.Running) {
      if (reuse !== 'allowDuplicate') break;
      continue;
    }
    if (reusePolicy !== Reuse.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING) break;
    const successor = begin();
    const op = (t: Transition): void =>
      engine.terminate(t, {
        reason: 'TerminateIfRunning WorkflowIdReusePolicy',
        details: null,
        identity: 'history-service',
      });
    const outcome = await runs
      .create(namespaceId, successor, reuse, { replacing: { runId: current.runId, op } })
      .catch((error: unknown) => {
        if (isNotFound(error)) return 'idTaken' as const;
        throw error;
      });
    if (outcome === 'created') return started(successor.state.runId);
  }
  return failed(Cause.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS);

  async function started(runId: string): Promise<void> {
    const header = initiatedEvent.startChildWorkflowExecutionInitiatedEventAttributes?.header ?? null;
    const told = await tell((t) => engine.childStarted(t, initiatedEventId, runId, header));
    // The parent closed while the child was being started, and did not find it then.
    if (!told)
      await applyPolicy(parts, parent, {
        child: { namespace, workflowId, runId },
        policy: parentClosePolicy,
        initiatedEventId,
      });
  }
  async function failed(cause: temporal.api.enums.v1.StartChildWorkflowExecutionFailedCause): Promise<void> {
    await tell((t) => engine.childStartFailed(t, initiatedEventId, cause));
  }
  /** False when the parent has closed. */
  async function tell(decide: (t: Transition) => void): Promise<boolean> {
    if (parent.state.status !== Status.Running) return false;
    try {
      await runs.change(parent.runId, decide);
      return true;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      return false;
    }
  }
}

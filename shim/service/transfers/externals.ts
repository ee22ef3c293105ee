/** Signals and cancel requests from one workflow to another, after the sender's command is durable. */
import { Status, type HistoryEvent, type Transition } from '../engine/types';
import { Code, ServiceError } from '../errors';
import type { RunHandle } from '../runs/run-handle';
import { isWorkflowCompleted } from '../target';
import { isNotFound, type TransferParts } from './transfer-parts';

type Failure = 'notFound' | 'namespaceNotFound' | 'signalLimit' | null;

/** Identity of events that one workflow causes in another. */
const IDENTITY = 'history-service';

/** Delivers the signal or cancel request of an Initiated event, then answers the sender if it is still open. Repeated it is recognised by its request id. */
export async function callExternal(parts: TransferParts, source: RunHandle, initiatedEventId: number): Promise<void> {
  const { engine, runs } = parts;
  const call = source.state.externals[String(initiatedEventId)];
  if (call === undefined) return;
  const { requestId } = call;
  const initiated = await source.event(initiatedEventId);
  const failure = await deliver(parts, source, initiated, initiatedEventId, requestId);
  if (source.state.status !== Status.Running) return;
  try {
    await runs.change(source.runId, (t, change) => {
      if (t.state.externals[String(initiatedEventId)] === undefined) return change.unchanged();
      engine.externalAnswered(t, initiatedEventId, failure, initiated);
    });
  } catch (error) {
    // The sender closed meanwhile and does not wait for an answer any more.
    if (!isNotFound(error)) throw error;
  }
}

async function deliver(
  parts: TransferParts,
  source: RunHandle,
  initiated: HistoryEvent,
  initiatedEventId: number,
  requestId: string,
): Promise<Failure> {
  const { engine, runs, store } = parts;
  const signal = initiated.signalExternalWorkflowExecutionInitiatedEventAttributes;
  const cancel = initiated.requestCancelExternalWorkflowExecutionInitiatedEventAttributes;
  const attributes = signal ?? cancel;
  const workflowId = attributes?.workflowExecution?.workflowId ?? '';
  const sender = { workflowId: source.state.workflowId, runId: source.runId };

  let namespaceId: number;
  try {
    namespaceId = (await parts.namespace(attributes?.namespace || source.state.namespace)).id;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return 'namespaceNotFound';
  }
  const asked = attributes?.workflowExecution?.runId ?? '';
  const runId = asked !== '' ? asked : ((await store.currentRun(namespaceId, workflowId))?.runId ?? '');
  if (runId === '') return 'notFound';
  // A workflow cannot call itself this way.
  if (namespaceId === source.namespaceId && workflowId === sender.workflowId) return 'notFound';

  const checked = (t: Transition): void => {
    const { state } = t;
    if (state.workflowId !== workflowId) throw new ServiceError(Code.NOT_FOUND, 'workflow not found');
    const { parent } = state;
    if (
      attributes?.childWorkflowOnly === true &&
      (parent?.runId !== sender.runId || parent.workflowId !== sender.workflowId)
    ) {
      throw new ServiceError(Code.NOT_FOUND, 'workflow is not a child');
    }
  };
  try {
    if (signal) {
      await runs.change(
        runId,
        (t) => {
          checked(t);
          engine.signal(t, {
            signalName: signal.signalName ?? '',
            input: signal.input ?? null,
            identity: IDENTITY,
            header: signal.header ?? null,
            external: sender,
            requestId,
          });
        },
        { signalRequestId: requestId },
      );
    } else {
      await runs.change(runId, (t, change) => {
        checked(t);
        const reason = cancel?.reason ?? '';
        const asking = engine.requestCancel(t, {
          identity: IDENTITY,
          requestId,
          reason,
          externalInitiatedEventId: initiatedEventId,
          external: sender,
        });
        if (!asking) change.unchanged();
      });
    }
    return null;
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    // A cancel request of a closed workflow is no failure: there is nothing left to cancel.
    if (cancel && isWorkflowCompleted(error)) return null;
    if (error.code === Code.NOT_FOUND) return 'notFound';
    if (error.code === Code.INVALID_ARGUMENT) return 'signalLimit';
    throw error;
  }
}

/** Workflows with children, and workflows that signal and cancel others. */
import {
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowFailure,
  condition,
  continueAsNew,
  defineSignal,
  executeChild,
  getExternalWorkflowHandle,
  isCancellation,
  setHandler,
  startChild,
  workflowInfo,
  type ChildWorkflowOptions,
} from '@temporalio/workflow';
import { echo, failing, finish, untilCancelled, untilFinished } from './basics';

const kinds = { echo, failing, untilCancelled, untilFinished, continuing, retrying };
type Kind = keyof typeof kinds;
/** Without what only a converter with types would need. */
type ChildOptions = Omit<ChildWorkflowOptions, 'typeInfo' | 'args'>;

/** What a parent sees of a child that did not complete. */
function described(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  const { name, message, cause } = error;
  const fields =
    error instanceof ChildWorkflowFailure
      ? { workflowType: error.workflowType, retryState: error.retryState, workflowId: error.execution.workflowId }
      : {};
  return { name, message, ...fields, ...(cause === undefined ? {} : { cause: described(cause) }) };
}

/** Runs a child and gives its result, or what it failed with. */
export async function parent(kind: Kind, options: ChildOptions, ...args: unknown[]): Promise<unknown> {
  return executeChild(kinds[kind] as typeof echo, { ...options, args: args as [unknown] }).catch(described);
}

/** The child's failure is the parent's. */
export async function failingParent(kind: Kind, options: ChildOptions, ...args: unknown[]): Promise<unknown> {
  return executeChild(kinds[kind] as typeof echo, { ...options, args: args as [unknown] });
}

export const cancelChild = defineSignal('cancelChild');

/** Starts a child, and cancels it when told. */
export async function cancellingParent(options: ChildOptions, answer: string): Promise<unknown> {
  let told = false;
  setHandler(cancelChild, () => void (told = true));
  const scope = new CancellationScope();
  const result = scope
    .run(async () => {
      const child = await startChild(untilCancelled, { ...options, args: [answer as 'throw'] });
      return child.result();
    })
    .then(
      (value) => ({ value }),
      (error: unknown) => ({ cancelled: isCancellation(error), error: described(error) }),
    );
  await condition(() => told);
  scope.cancel();
  return result;
}

/** Cancels the scope before the child could be sent. */
export async function cancelledBeforeStart(options: ChildOptions): Promise<unknown> {
  const scope = new CancellationScope();
  const result = scope.run(() => executeChild(echo, { ...options, args: ['never'] })).catch(described);
  scope.cancel();
  return result;
}

/** Two runs, then done. */
export async function continuing(left: number): Promise<string> {
  if (left > 0) await continueAsNew<typeof continuing>(left - 1);
  return `end of ${workflowInfo().workflowId}`;
}

export async function retrying(failures: number): Promise<number> {
  const { attempt } = workflowInfo();
  if (attempt <= failures) throw ApplicationFailure.create({ message: `attempt ${attempt} fails`, type: 'Flaky' });
  return attempt;
}

/** Signals another workflow and says what came of it. */
export async function signaller(workflowId: string, runId?: string): Promise<unknown> {
  return getExternalWorkflowHandle(workflowId, runId)
    .signal(finish, 'from another')
    .then(() => 'signalled', described);
}

export async function canceller(workflowId: string, runId?: string): Promise<unknown> {
  return getExternalWorkflowHandle(workflowId, runId)
    .cancel()
    .then(() => 'cancelled', described);
}

/** Signals its own child, before and after its end. */
export async function signalsChild(options: ChildOptions): Promise<unknown> {
  const child = await startChild(untilFinished, options);
  await child.signal(finish, 'to the child');
  const result = await child.result();
  const late = await child.signal(finish, 'late').then(() => 'signalled', described);
  return [result, late];
}

/** A signal whose sending is cancelled. */
export async function cancelledSignal(workflowId: string): Promise<unknown> {
  const scope = new CancellationScope();
  const result = scope
    .run(() => getExternalWorkflowHandle(workflowId).signal(finish, 'taken back'))
    .then(() => 'signalled', described);
  scope.cancel();
  return result;
}

/** Its children, as they know themselves. */
export async function family(depth: number): Promise<unknown> {
  const { parent, root, workflowId } = workflowInfo();
  const here = { workflowId, parent: parent?.workflowId, root: root?.workflowId };
  if (depth === 0) return [here];
  const below = (await executeChild(family, { workflowId: `${workflowId}.${depth}`, args: [depth - 1] })) as unknown[];
  return [here, ...below];
}

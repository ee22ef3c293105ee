/** RPCs that join a transaction of the caller: checked here as outside of one, written by the functions of the SQL surface. */
import type { temporal } from '@temporalio/proto';
import { BranchlineError } from '../../common/branchline-error';
import { ms } from '../../common/proto-values';
import type { CallerConnection, InboxMessage } from '../../store/types';
import type { Request } from '../engine/api';
import { Code, ServiceError, invalidArgument } from '../errors';
import { type IdPolicies, alreadyRunning, checkReuse, idPolicies } from '../id-policies';
import { prepareStart, startResponse } from '../start';
import { checkLength, targetOf, workflowCompleted } from '../target';
import type { ServiceParts } from '../types';
import { signalOf } from './messages';
import { notInTransaction } from './not-in-transaction';
import { createScheduleWithin } from './schedules';
import { send } from './send';
import { updateWithin } from './updates';

type StartRequest = temporal.api.workflowservice.v1.IStartWorkflowExecutionRequest;
type SignalRequest = temporal.api.workflowservice.v1.ISignalWorkflowExecutionRequest;
type SignalWithStartRequest = temporal.api.workflowservice.v1.ISignalWithStartWorkflowExecutionRequest;
type CancelRequest = temporal.api.workflowservice.v1.IRequestCancelWorkflowExecutionRequest;
type TerminateRequest = temporal.api.workflowservice.v1.ITerminateWorkflowExecutionRequest;
type Joined = (parts: ServiceParts, client: CallerConnection, request: never) => Promise<object>;

const joined: Record<string, Joined | undefined> = {
  startWorkflowExecution: startWithin,
  signalWorkflowExecution: signalWithin,
  signalWithStartWorkflowExecution: signalWithStartWithin,
  requestCancelWorkflowExecution: cancelWithin,
  terminateWorkflowExecution: terminateWithin,
  updateWorkflowExecution: updateWithin,
  createSchedule: createScheduleWithin,
};

/** They see what is committed. */
const READS = /^((get|describe|list|count|scan|query)[A-Z]|pollWorkflowExecutionUpdate$)/u;

export async function callInTransaction(
  parts: ServiceParts,
  client: CallerConnection,
  method: string,
  request: object,
  outside: () => Promise<object>,
): Promise<object> {
  const call = joined[method];
  if (call !== undefined) {
    try {
      return await call(parts, client, request as never);
    } catch (error) {
      if (error instanceof ServiceError || error instanceof BranchlineError) throw error;
      throw new BranchlineError(
        'BRANCHLINE_CALLER_TRANSACTION',
        `Postgres refused ${method} in your transaction, which has failed with it: roll back, and try again if the cause is a deadlock or a serialization failure. ${(error as Error).message}`,
        { cause: error },
      );
    }
  }
  if (READS.test(method)) return outside();
  throw notInTransaction(
    `${method} cannot be part of your transaction: call it on the connection itself, after the commit. Starts, signals, updates that are not waited for, cancel requests, terminations and new schedules can`,
  );
}

async function startWithin(parts: ServiceParts, client: CallerConnection, request: StartRequest): Promise<object> {
  const policies = idPolicies(request.workflowIdReusePolicy, request.workflowIdConflictPolicy, 'fail');
  const prepared = prepareStart(parts, request);
  const outcome = await start(parts, client, prepared, policies);
  return startResponse(prepared, outcome);
}

async function start(
  parts: ServiceParts,
  client: CallerConnection,
  request: StartRequest,
  policies: IdPolicies,
): Promise<Parameters<typeof startResponse>[1]> {
  const { engine, runs, store } = parts;
  if (policies.conflict === 'terminateExisting') {
    throw notInTransaction(
      'A start that terminates a running workflow cannot be part of your transaction: terminate it first, or use another id conflict policy',
    );
  }
  const namespace = await parts.namespace(request.namespace);
  // Decided once here for its refusals and its times; the run is made of the request when the transaction has been committed.
  const context = runs.engineContext(namespace.id);
  const input = engine.startInputFromRequest(request as Request<'StartWorkflowExecutionRequest'>, context);
  engine.start(input, context);
  const workflowId = request.workflowId ?? '';
  const admitted = await store.inbox.start(client, {
    namespaceId: namespace.id,
    request,
    reuse: policies.reuse,
    useExisting: policies.conflict === 'useExisting',
    backoffMs: ms(request.workflowStartDelay) || input.firstTaskBackoffMs,
  });
  if (admitted.admission === 'running') throw alreadyRunning(workflowId, admitted);
  if (admitted.admission === 'refused') checkReuse(policies.reuse, workflowId, admitted);
  const kind = admitted.admission === 'done' ? 'created' : admitted.admission;
  return { ...admitted, kind: kind as 'created' | 'deduplicated' | 'existing' };
}

async function signalWithin(parts: ServiceParts, client: CallerConnection, request: SignalRequest): Promise<object> {
  if (!request.signalName) throw invalidArgument('SignalName is not set on request.');
  checkLength(request.signalName, 'SignalName');
  checkLength(request.requestId, 'RequestId');
  const target = await targetOf(parts, request.namespace, request.workflowExecution);
  const requestId = request.requestId || parts.newId();
  const { admission } = await send(
    parts,
    client,
    target,
    '',
    checkedSignal(parts, target.namespaceId, requestId, request),
  );
  if (admission === 'closed') throw workflowCompleted();
  return {};
}

/** Refuses what the engine would refuse of its size, while the caller can still hear of it. */
function checkedSignal(
  parts: ServiceParts,
  namespaceId: number,
  requestId: string,
  request: SignalRequest,
): Pick<InboxMessage, 'kind' | 'requestId' | 'request'> {
  const message = { seq: '', kind: 'signal' as const, requestId, request };
  parts.engine.validateSignal(signalOf(message), parts.runs.engineContext(namespaceId));
  return message;
}

async function signalWithStartWithin(
  parts: ServiceParts,
  client: CallerConnection,
  request: SignalWithStartRequest,
): Promise<object> {
  if (!request.signalName) throw invalidArgument('SignalName is not set on request.');
  const { signalName, signalInput, control: _control, ...rest } = request;
  checkLength(signalName, 'SignalName');
  const policies = idPolicies(request.workflowIdReusePolicy, request.workflowIdConflictPolicy, 'useExisting');
  if (policies.conflict === 'fail') {
    throw invalidArgument(
      'Invalid WorkflowIDConflictPolicy: WORKFLOW_ID_CONFLICT_POLICY_FAIL is not supported for this operation.',
    );
  }
  const prepared = prepareStart(parts, rest as StartRequest);
  const { id: namespaceId } = await parts.namespace(request.namespace);
  const requestId = prepared.requestId ?? '';
  const signal: SignalRequest = {
    signalName,
    input: signalInput,
    header: request.header,
    identity: request.identity,
    links: request.links,
  };
  const message = checkedSignal(parts, namespaceId, requestId, signal);
  const outcome = await start(parts, client, prepared, policies);
  if (outcome.kind !== 'deduplicated') {
    const target = { namespaceId, workflowId: prepared.workflowId ?? '', runId: outcome.runId };
    const { admission } = await send(parts, client, target, '', message);
    if (admission === 'closed') {
      throw new ServiceError(Code.UNAVAILABLE, `Workflow ${target.workflowId} is just closing: try again.`);
    }
  }
  return { runId: outcome.runId, firstExecutionRunId: outcome.firstRunId, started: outcome.kind !== 'existing' };
}

async function cancelWithin(parts: ServiceParts, client: CallerConnection, request: CancelRequest): Promise<object> {
  checkLength(request.requestId, 'RequestId');
  const target = await targetOf(parts, request.namespace, request.workflowExecution);
  const firstRunId = request.firstExecutionRunId ?? '';
  if (firstRunId !== '') target.runId = '';
  await send(parts, client, target, firstRunId, {
    kind: 'cancel',
    requestId: request.requestId || parts.newId(),
    request,
  });
  return {};
}

async function terminateWithin(
  parts: ServiceParts,
  client: CallerConnection,
  request: TerminateRequest,
): Promise<object> {
  const target = await targetOf(parts, request.namespace, request.workflowExecution);
  const firstRunId = request.firstExecutionRunId ?? '';
  if (firstRunId !== '') target.runId = '';
  const message = { kind: 'terminate' as const, requestId: parts.newId(), request };
  const { admission } = await send(parts, client, target, firstRunId, message);
  if (admission === 'closed') throw workflowCompleted();
  return {};
}

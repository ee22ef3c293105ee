/** Child workflow: initiated, started, then closed in one of five ways; cancelled by a request that the core makes itself. */
import { coresdk, temporal } from '@temporalio/proto';
import { long } from '../../common/proto-values';
import { FatalMachineError, NondeterminismError } from '../errors';
import { EventType, eventId, eventType } from '../events';
import { canceled, childFailure, childTermination, childTimeout } from '../failures';
import { CoreFlag } from '../internal-flags';
import type { InternalFlags } from '../internal-flags';
import { overrideAnnotations, payloadsOf, plainDuration, plainRetryPolicy } from '../messages';
import type { Annotations, Command, Failure, Payloads } from '../messages';
import type { HistoryEvent } from '../types';
import { CommandType, StateMachine, attributesOf, job, nothing } from './machine';
import type { Response, Responses, Table } from './machine';
import { onlyPayload } from './only-payload';

import history = temporal.api.history.v1;

const CancellationType = coresdk.child_workflow.ChildWorkflowCancellationType;
const RetryState = temporal.api.enums.v1.RetryState;
type RetryStateValue = temporal.api.enums.v1.RetryState | null | undefined;

type State =
  | 'StartCommandCreated'
  | 'StartEventRecorded'
  | 'StartFailed'
  | 'Started'
  | 'Completed'
  | 'Failed'
  | 'TimedOut'
  | 'Terminated'
  | 'Cancelled';

interface Initiated {
  eventId: number;
  workflowId: string;
  workflowType: string;
  lastTask: boolean;
}

interface Events {
  CommandStartChildWorkflowExecution: undefined;
  Cancel: string;
  StartChildWorkflowExecutionInitiated: Initiated;
  StartChildWorkflowExecutionFailed: number;
  ChildWorkflowExecutionStarted: { eventId: number; runId: string };
  ChildWorkflowExecutionCompleted: Payloads | null | undefined;
  ChildWorkflowExecutionFailed: history.IChildWorkflowExecutionFailedEventAttributes;
  ChildWorkflowExecutionTimedOut: RetryStateValue;
  ChildWorkflowExecutionCanceled: undefined;
  ChildWorkflowExecutionTerminated: undefined;
}

const table: Table<ChildWorkflowMachine, State, Events> = {
  StartCommandCreated: {
    CommandStartChildWorkflowExecution: { to: 'StartCommandCreated' },
    StartChildWorkflowExecutionInitiated: { to: 'StartEventRecorded', run: (c, data) => c.initiated(data) },
    Cancel: { to: 'Cancelled', run: (c, reason) => c.withdraw(reason) },
  },
  StartEventRecorded: {
    ChildWorkflowExecutionStarted: { to: 'Started', run: (c, data) => c.started(data) },
    StartChildWorkflowExecutionFailed: { to: 'StartFailed', run: (c, cause) => c.startFailed(cause) },
    // The parent may cancel while the start is in flight.
    Cancel: {
      to: (c) => (c.resolvesAtOnce ? 'Cancelled' : 'StartEventRecorded'),
      run: (c, reason) => c.requestCancel(reason),
    },
  },
  Started: {
    ChildWorkflowExecutionCompleted: { to: 'Completed', run: (c, result) => c.completed(result) },
    ChildWorkflowExecutionFailed: { to: 'Failed', run: (c, attributes) => c.failed(attributes) },
    ChildWorkflowExecutionTimedOut: { to: 'TimedOut', run: (c, retryState) => c.timedOut(retryState) },
    ChildWorkflowExecutionCanceled: { to: 'Cancelled', run: (c) => c.canceledByServer() },
    ChildWorkflowExecutionTerminated: { to: 'Terminated', run: (c) => c.terminated() },
    // The awaited outcome of a cancelled child is still to come; TRY_CANCEL and ABANDON do not await it.
    Cancel: { to: (c) => (c.resolvesAtOnce ? 'Cancelled' : 'Started'), run: (c, reason) => c.requestCancel(reason) },
  },
  Cancelled: {
    Cancel: { to: 'Cancelled' },
    ChildWorkflowExecutionStarted: { to: 'Cancelled' },
    StartChildWorkflowExecutionFailed: { to: 'Cancelled' },
    ChildWorkflowExecutionCanceled: { to: 'Cancelled', run: (c) => c.canceledAgain() },
    ChildWorkflowExecutionCompleted: { to: 'Cancelled', run: (c) => c.ignoredOutcome() },
    ChildWorkflowExecutionFailed: { to: 'Cancelled', run: (c) => c.ignoredOutcome() },
    ChildWorkflowExecutionTimedOut: { to: 'Cancelled', run: (c) => c.ignoredOutcome() },
    ChildWorkflowExecutionTerminated: { to: 'Cancelled', run: (c) => c.ignoredOutcome() },
  },
  StartFailed: { Cancel: { to: 'StartFailed' } },
  Completed: { Cancel: { to: 'Completed' } },
  Failed: { Cancel: { to: 'Failed' } },
  TimedOut: { Cancel: { to: 'TimedOut' } },
  Terminated: {},
};

export class ChildWorkflowMachine extends StateMachine<State, Events> {
  readonly name = 'ChildWorkflowMachine';
  protected readonly title = 'Child workflow';
  protected readonly table = table;
  protected override readonly commands = {
    [CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION]: 'CommandStartChildWorkflowExecution',
  } as const;
  private readonly seq: number;
  private readonly namespace: string;
  private readonly workflowId: string;
  private readonly workflowType: string;
  private readonly cancellationType: coresdk.child_workflow.ChildWorkflowCancellationType;
  private runId = '';
  private initiatedEventId = 0;
  private startedEventId = 0;
  private withdrawn = false;
  private sawCanceled = false;

  constructor(
    attributes: coresdk.workflow_commands.IStartChildWorkflowExecution,
    private readonly flags: InternalFlags,
    private annotations: Annotations,
  ) {
    super('StartCommandCreated');
    this.seq = attributes.seq ?? 0;
    this.namespace = attributes.namespace ?? '';
    this.workflowId = attributes.workflowId ?? '';
    this.workflowType = attributes.workflowType ?? '';
    this.cancellationType = attributes.cancellationType ?? CancellationType.ABANDON;
  }

  override get cancelledBeforeSent(): boolean {
    return this.withdrawn;
  }

  /** Whether a cancellation resolves the child for lang without waiting for its outcome. */
  get resolvesAtOnce(): boolean {
    return this.cancellationType === CancellationType.ABANDON || this.cancellationType === CancellationType.TRY_CANCEL;
  }

  cancel(reason: string, annotations: Annotations): Responses {
    this.annotations = overrideAnnotations(this.annotations, annotations);
    return this.fireRequest('Cancel', reason);
  }

  protected apply(event: HistoryEvent, lastTask: boolean): Responses {
    switch (eventType(event)) {
      case EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: {
        const attributes = attributesOf(event.startChildWorkflowExecutionInitiatedEventAttributes, event);
        return this.fire('StartChildWorkflowExecutionInitiated', {
          eventId: eventId(event),
          workflowId: attributes.workflowId ?? '',
          workflowType: attributes.workflowType?.name ?? '',
          lastTask,
        });
      }
      case EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED: {
        const attributes = attributesOf(event.startChildWorkflowExecutionFailedEventAttributes, event);
        return this.fire('StartChildWorkflowExecutionFailed', attributes.cause ?? 0);
      }
      case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED: {
        const attributes = attributesOf(event.childWorkflowExecutionStartedEventAttributes, event);
        const execution = attributesOf(attributes.workflowExecution, event);
        return this.fire('ChildWorkflowExecutionStarted', { eventId: eventId(event), runId: execution.runId ?? '' });
      }
      case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED: {
        const attributes = attributesOf(event.childWorkflowExecutionCompletedEventAttributes, event);
        return this.fire('ChildWorkflowExecutionCompleted', attributes.result);
      }
      case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
        return this.fire(
          'ChildWorkflowExecutionFailed',
          attributesOf(event.childWorkflowExecutionFailedEventAttributes, event),
        );
      case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT: {
        const attributes = attributesOf(event.childWorkflowExecutionTimedOutEventAttributes, event);
        return this.fire('ChildWorkflowExecutionTimedOut', attributes.retryState);
      }
      case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
        return this.fire('ChildWorkflowExecutionCanceled', undefined);
      case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
        return this.fire('ChildWorkflowExecutionTerminated', undefined);
      default:
        return this.unexpected(event);
    }
  }

  initiated(data: Initiated): Responses {
    if (this.flags.tryUse(CoreFlag.IdAndTypeDeterminismChecks, data.lastTask)) {
      this.mustMatch('id', data.workflowId, this.workflowId);
      this.mustMatch('type', data.workflowType, this.workflowType);
    }
    this.initiatedEventId = data.eventId;
    return nothing;
  }

  private mustMatch(what: string, inEvent: string, inCommand: string): void {
    if (inEvent === inCommand) return;
    throw new NondeterminismError(
      `Child workflow ${what} of scheduled event '${inEvent}' does not match child workflow ${what} of command '${inCommand}'`,
    );
  }

  started(data: { eventId: number; runId: string }): Responses {
    this.startedEventId = data.eventId;
    this.runId = data.runId;
    return [job('resolveChildWorkflowExecutionStart', { seq: this.seq, succeeded: { runId: data.runId } })];
  }

  startFailed(cause: number): Responses {
    const failed = { workflowId: this.workflowId, workflowType: this.workflowType, cause };
    return [job('resolveChildWorkflowExecutionStart', { seq: this.seq, failed })];
  }

  withdraw(reason: string): Responses {
    this.withdrawn = true;
    const message = `Child Workflow Execution cancelled before scheduled: ${reason}`;
    const failure = childFailure(message, canceled, this.failureInfo(RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE));
    return [job('resolveChildWorkflowExecutionStart', { seq: this.seq, cancelled: { failure } })];
  }

  requestCancel(reason: string): Responses {
    const responses: Response[] = [];
    if (this.cancellationType !== CancellationType.ABANDON) {
      const target = { namespace: this.namespace, workflowId: this.workflowId, runId: this.runId };
      responses.push({ do: 'cancelChildExternally', target, reason, annotations: this.annotations });
    }
    if (this.resolvesAtOnce) responses.push(this.cancelledJob());
    return responses;
  }

  canceledByServer(): Responses {
    this.sawCanceled = true;
    return [this.cancelledJob()];
  }

  canceledAgain(): Responses {
    if (this.sawCanceled) throw new FatalMachineError('A child workflow was cancelled twice in history');
    this.sawCanceled = true;
    return nothing;
  }

  ignoredOutcome(): Responses {
    if (this.resolvesAtOnce) return nothing;
    throw new NondeterminismError(
      "Child workflows which don't resolve immediately on cancellation cannot complete after being cancelled.",
    );
  }

  completed(result: Payloads | null | undefined): Responses {
    const completed = { result: onlyPayload(result, 'child workflow result') };
    return [job('resolveChildWorkflowExecution', { seq: this.seq, result: { completed } })];
  }

  failed(attributes: history.IChildWorkflowExecutionFailedEventAttributes): Responses {
    return this.fail('Child Workflow execution failed', attributes.failure, attributes.retryState);
  }

  timedOut(retryState: RetryStateValue): Responses {
    return this.fail('Child Workflow execution timed out', childTimeout, retryState);
  }

  terminated(): Responses {
    return this.fail(
      'Child Workflow execution terminated',
      childTermination,
      RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE,
    );
  }

  private fail(message: string, cause: Failure | null | undefined, retryState: RetryStateValue): Responses {
    const failure = childFailure(message, cause, this.failureInfo(retryState));
    return [job('resolveChildWorkflowExecution', { seq: this.seq, result: { failed: { failure } } })];
  }

  private cancelledJob(): Response {
    const info = this.failureInfo(RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE);
    const failure = childFailure('Child Workflow execution cancelled', canceled, info);
    return job('resolveChildWorkflowExecution', { seq: this.seq, result: { cancelled: { failure } } });
  }

  private failureInfo(retryState: RetryStateValue): temporal.api.failure.v1.IChildWorkflowExecutionFailureInfo {
    return {
      namespace: this.namespace,
      workflowExecution: { workflowId: this.workflowId, runId: this.runId },
      workflowType: { name: this.workflowType },
      initiatedEventId: long(this.initiatedEventId),
      startedEventId: long(this.startedEventId),
      retryState: retryState ?? RetryState.RETRY_STATE_UNSPECIFIED,
    };
  }
}

export function startChildWorkflowCommand(
  attributes: coresdk.workflow_commands.IStartChildWorkflowExecution,
  inheritBuildId: boolean,
): Command {
  return {
    commandType: CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
    startChildWorkflowExecutionCommandAttributes: {
      namespace: attributes.namespace ?? '',
      workflowId: attributes.workflowId ?? '',
      workflowType: { name: attributes.workflowType ?? '' },
      taskQueue: { name: attributes.taskQueue ?? '', kind: temporal.api.enums.v1.TaskQueueKind.TASK_QUEUE_KIND_NORMAL },
      input: payloadsOf(attributes.input),
      workflowExecutionTimeout: plainDuration(attributes.workflowExecutionTimeout),
      workflowRunTimeout: plainDuration(attributes.workflowRunTimeout),
      workflowTaskTimeout: plainDuration(attributes.workflowTaskTimeout),
      parentClosePolicy: attributes.parentClosePolicy ?? 0,
      workflowIdReusePolicy: attributes.workflowIdReusePolicy ?? 0,
      retryPolicy: plainRetryPolicy(attributes.retryPolicy),
      cronSchedule: attributes.cronSchedule ?? '',
      header: { fields: attributes.headers ?? {} },
      memo: { fields: attributes.memo ?? {} },
      searchAttributes: attributes.searchAttributes,
      inheritBuildId,
      priority: attributes.priority,
    } as temporal.api.command.v1.IStartChildWorkflowExecutionCommandAttributes,
  };
}

/** Payload codecs around a run's isolate: decode what goes in, encode what comes out, each with Temporal's serialization context. */
import type { PayloadCodec } from '@temporalio/common';
import { limit } from '@temporalio/common/lib/concurrency/limit';
import type {
  ActivitySerializationContext,
  SerializationContext,
  WorkflowSerializationContext,
} from '@temporalio/common/lib/converter/serialization-context';
import {
  decode,
  encode,
  visit,
  walkWorkflowActivation,
  walkWorkflowActivationCompletion,
  type ContextDeriver,
} from '@temporalio/common/lib/internal-non-workflow';
import type { coresdk } from '@temporalio/proto';
import type { Activation, ActivationCompletion } from '../../core/types';
import { copyContainers } from '../copy-containers';

type StartChild = coresdk.workflow_commands.IStartChildWorkflowExecution;
type Command = coresdk.workflow_commands.IWorkflowCommand;
type ScheduleActivity = coresdk.workflow_commands.IScheduleActivity | coresdk.workflow_commands.IScheduleLocalActivity;
type ExternalCommand =
  | coresdk.workflow_commands.ISignalExternalWorkflowExecution
  | coresdk.workflow_commands.IRequestCancelExternalWorkflowExecution;

/** As Temporal's worker: more codec calls per activation wait. */
const maxConcurrentCalls = 20;

/** The codecs of one run. Contexts of what the workflow started are kept until it resolves. */
export class RunPayloadCodecs {
  private readonly concurrency = limit(maxConcurrentCalls);
  private readonly activities = new Map<number, SerializationContext>();
  private readonly childStarts = new Map<number, SerializationContext>();
  private readonly children = new Map<number, SerializationContext>();
  private readonly signals = new Map<number, SerializationContext>();
  private readonly cancels = new Map<number, SerializationContext>();

  constructor(
    private readonly codecs: PayloadCodec[],
    private readonly workflow: WorkflowSerializationContext,
  ) {}

  /** A decoded copy. Headers and search attributes are never encoded. */
  async decodeActivation(activation: Activation): Promise<Activation> {
    const copy = copyContainers(activation);
    await visit<never, SerializationContext | undefined>(copy as never, walkWorkflowActivation as never, {
      transformPayload: async (payload, context) => (await decode(this.codecs, [payload], context))[0]!,
      transformPayloads: (payloads, context) => decode(this.codecs, payloads, context),
      deriveContext: this.contextOfJob,
      ...this.common(),
    });
    return copy;
  }

  /** Encodes in place: the completion came out of the isolate and belongs to nobody else. */
  async encodeCompletion(completion: ActivationCompletion): Promise<ActivationCompletion> {
    await visit<never, SerializationContext | undefined>(
      completion as never,
      walkWorkflowActivationCompletion as never,
      {
        transformPayload: async (payload, context) => (await encode(this.codecs, [payload], context))[0]!,
        transformPayloads: (payloads, context) => encode(this.codecs, payloads, context),
        deriveContext: this.contextOfCommand,
        ...this.common(),
      },
    );
    return completion;
  }

  private common(): {
    initialContext: SerializationContext;
    skipHeaders: boolean;
    skipSearchAttributes: boolean;
    limit: ReturnType<typeof limit>;
  } {
    return {
      initialContext: this.workflow,
      skipHeaders: true,
      skipSearchAttributes: true,
      limit: this.concurrency,
    };
  }

  private readonly contextOfJob: ContextDeriver<SerializationContext | undefined> = (message, typeName, context) => {
    const pending = {
      'coresdk.workflow_activation.ResolveActivity': this.activities,
      'coresdk.workflow_activation.ResolveChildWorkflowExecution': this.children,
      'coresdk.workflow_activation.ResolveChildWorkflowExecutionStart': this.childStarts,
      'coresdk.workflow_activation.ResolveSignalExternalWorkflow': this.signals,
      'coresdk.workflow_activation.ResolveRequestCancelExternalWorkflow': this.cancels,
    }[typeName];
    if (pending === undefined) return context;
    const { seq } = message as { seq?: number | null };
    if (seq == null) return undefined;
    const found = pending.get(seq);
    pending.delete(seq);
    return found;
  };

  private readonly contextOfCommand: ContextDeriver<SerializationContext | undefined> = (
    message,
    typeName,
    context,
  ) => {
    switch (typeName) {
      case 'coresdk.workflow_commands.WorkflowCommand':
        return this.remember(message as Command);
      case 'coresdk.workflow_commands.ScheduleActivity':
        return this.activityContext(message as ScheduleActivity, false);
      case 'coresdk.workflow_commands.ScheduleLocalActivity':
        return this.activityContext(message as ScheduleActivity, true);
      case 'coresdk.workflow_commands.StartChildWorkflowExecution':
        return this.childContext(message as StartChild) ?? context;
      case 'coresdk.workflow_commands.SignalExternalWorkflowExecution':
        return this.externalContext(message as ExternalCommand) ?? context;
      default:
        return context;
    }
  };

  /** Keeps the context for the command's resolution; gives that of its user metadata. */
  private remember(command: Command): SerializationContext {
    let metadata: SerializationContext = this.workflow;
    for (const [schedule, isLocal] of [
      [command.scheduleActivity, false],
      [command.scheduleLocalActivity, true],
    ] as const) {
      if (schedule?.seq == null) continue;
      metadata = this.activityContext(schedule, isLocal);
      this.activities.set(schedule.seq, metadata);
    }
    const child = command.startChildWorkflowExecution;
    const childContext = child ? this.childContext(child) : undefined;
    if (child?.seq != null && childContext !== undefined) {
      this.childStarts.set(child.seq, childContext);
      this.children.set(child.seq, childContext);
      metadata = childContext;
    }
    const signal = command.signalExternalWorkflowExecution;
    const signalContext = signal ? this.externalContext(signal) : undefined;
    if (signal?.seq != null && signalContext !== undefined) this.signals.set(signal.seq, signalContext);
    const cancel = command.requestCancelExternalWorkflowExecution;
    const cancelContext = cancel ? this.externalContext(cancel) : undefined;
    if (cancel?.seq != null && cancelContext !== undefined) this.cancels.set(cancel.seq, cancelContext);
    return metadata;
  }

  private activityContext(command: ScheduleActivity, isLocal: boolean): ActivitySerializationContext {
    const { namespace, workflowId } = this.workflow;
    return { type: 'activity', namespace, workflowId, activityId: command.activityId || undefined, isLocal };
  }

  private childContext(command: StartChild): WorkflowSerializationContext | undefined {
    if (command.workflowId == null) return undefined;
    return {
      type: 'workflow',
      namespace: command.namespace || this.workflow.namespace,
      workflowId: command.workflowId,
    };
  }

  private externalContext(command: ExternalCommand): WorkflowSerializationContext | undefined {
    const workflowId =
      command.workflowExecution?.workflowId ?? ('childWorkflowId' in command ? command.childWorkflowId : undefined);
    if (workflowId == null) return undefined;
    return { type: 'workflow', namespace: command.workflowExecution?.namespace || this.workflow.namespace, workflowId };
  }
}

/** Turns each command of workflow code into its machine, or into a request to a machine made before. */
import { coresdk } from '@temporalio/proto';
import { optionalMs } from '../common/proto-values';
import { FatalMachineError, NondeterminismError } from './errors';
import { CoreFlag } from './internal-flags';
import { jsonPayload } from './markers';
import { annotationsOf, instant, isEmptyMap } from './messages';
import type { Annotations, LangCommand } from './messages';
import { ActivityMachine, scheduleActivityCommand } from './machines/activity';
import { cancelExternal } from './machines/cancel-external';
import { cancelWorkflow } from './machines/cancel-workflow';
import { ChildWorkflowMachine, startChildWorkflowCommand } from './machines/child-workflow';
import { completeWorkflow } from './machines/complete-workflow';
import { continueAsNew } from './machines/continue-as-new';
import { failWorkflow } from './machines/fail-workflow';
import { LocalActivityMachine } from './machines/local-activity';
import { modifyWorkflowProperties } from './machines/modify-workflow-properties';
import { patch } from './machines/patch';
import { SignalExternalMachine, signalExternalCommand } from './machines/signal-external';
import { TimerMachine, startTimerCommand } from './machines/timer';
import {
  CHANGE_VERSION_ATTRIBUTE,
  MAX_SEARCH_ATTRIBUTE_BYTES,
  upsertOf,
  upsertSearchAttributes,
} from './machines/upsert-search-attributes';
import type { LocalActivityRequest } from './types';
import type { WorkflowMachines } from './workflow-machines';

import commands = coresdk.workflow_commands;

/** Backoffs of local activities longer than this wait on a timer unless the workflow says otherwise. */
const LOCAL_RETRY_THRESHOLD_MS = 60_000;

type Variant = Exclude<keyof commands.IWorkflowCommand, 'userMetadata' | 'eventGroupMarkers' | 'variant'>;
type Handlers = {
  [variant in Variant]?: (
    machines: WorkflowMachines,
    attributes: NonNullable<commands.IWorkflowCommand[variant]>,
    annotations: Annotations,
  ) => void;
};

const handlers: Handlers = {
  startTimer(machines, attributes, annotations) {
    const machine = new TimerMachine(attributes.seq ?? 0, annotations);
    machines.timers.set(attributes.seq ?? 0, machine);
    machines.add({ machine, command: startTimerCommand(attributes) }, annotations);
  },
  cancelTimer(machines, { seq }, annotations) {
    const machine = known(machines.timers, seq, 'Timer');
    machines.process(machine, machine.cancel(annotations));
  },
  scheduleActivity(machines, attributes, annotations) {
    const machine = new ActivityMachine(attributes, machines.flags, annotations);
    machines.activities.set(attributes.seq ?? 0, machine);
    const sameBuild = staysOnBuild(machines, attributes.versioningIntent, attributes.taskQueue);
    machines.add({ machine, command: scheduleActivityCommand(attributes, sameBuild) }, annotations);
  },
  requestCancelActivity(machines, { seq }, annotations) {
    const machine = known(machines.activities, seq, 'Activity');
    machines.process(machine, machine.cancel(annotations));
  },
  scheduleLocalActivity(machines, attributes, annotations) {
    const machine = new LocalActivityMachine(
      localActivityRequest(attributes),
      machines.replaying,
      machines.currentTime,
      attributes.originalScheduleTime ? instant(attributes.originalScheduleTime) : machines.currentTime,
      // A field since 1.24.
      (attributes as { includeArgumentsIntoMarker?: boolean | null }).includeArgumentsIntoMarker === true,
      annotations,
      machines.flags,
    );
    machines.localActivityMachines.set(attributes.seq ?? 0, machine);
    if (machines.replaying) machines.scheduledInReplay.add(machine);
    machines.process(machine, machine.start());
  },
  requestCancelLocalActivity(machines, { seq }) {
    const machine = known(machines.localActivityMachines, seq, 'LocalActivity');
    machines.process(machine, machine.cancel());
  },
  startChildWorkflowExecution(machines, attributes, annotations) {
    const machine = new ChildWorkflowMachine(attributes, machines.flags, annotations);
    machines.children.set(attributes.seq ?? 0, machine);
    const sameBuild = staysOnBuild(machines, attributes.versioningIntent, attributes.taskQueue);
    machines.add({ machine, command: startChildWorkflowCommand(attributes, sameBuild) }, annotations);
  },
  cancelChildWorkflowExecution(machines, { childWorkflowSeq, reason }, annotations) {
    const machine = known(machines.children, childWorkflowSeq, 'ChildWorkflowStart');
    machines.process(machine, machine.cancel(reason ?? '', annotations));
  },
  signalExternalWorkflowExecution(machines, attributes, annotations) {
    const machine = new SignalExternalMachine(attributes.seq ?? 0);
    machines.signals.set(attributes.seq ?? 0, machine);
    machines.add({ machine, command: signalExternalCommand(attributes, machines.namespace) }, annotations);
  },
  cancelSignalWorkflow(machines, { seq }) {
    const machine = known(machines.signals, seq, 'SignalExternal');
    machines.process(machine, machine.cancel());
  },
  requestCancelExternalWorkflowExecution(machines, { seq, workflowExecution, reason }, annotations) {
    if (!workflowExecution) {
      throw new FatalMachineError('Cancel external workflow command had no workflow_execution field');
    }
    const target = {
      namespace: workflowExecution.namespace ?? '',
      workflowId: workflowExecution.workflowId ?? '',
      runId: workflowExecution.runId ?? '',
    };
    const because = `Cancel requested by workflow with run id ${machines.runId} with reason: ${reason ?? ''}`;
    machines.add(cancelExternal(seq ?? 0, target, false, because), annotations);
  },
  upsertWorkflowSearchAttributes(machines, attributes, annotations) {
    machines.searchAttributesUpserted(attributes.searchAttributes?.indexedFields);
    machines.add(upsertSearchAttributes(attributes, machines.flags, machines.replaying), annotations);
  },
  modifyWorkflowProperties(machines, attributes, annotations) {
    machines.add(modifyWorkflowProperties(attributes), annotations);
  },
  setPatchMarker(machines, attributes, annotations) {
    setPatchMarker(machines, attributes.patchId ?? '', attributes.deprecated === true, annotations);
  },
  updateResponse(machines, attributes) {
    const id = attributes.protocolInstanceId ?? '';
    const machine = machines.updates.get(id);
    if (machine === undefined) {
      throw new FatalMachineError(`Missing associated machine for protocol message ${id}`);
    }
    machines.process(machine, machine.respond(attributes));
    if (machine.isFinal) machines.updates.delete(id);
  },
  completeWorkflowExecution(machines, attributes, annotations) {
    machines.addTerminal(completeWorkflow(attributes), annotations);
  },
  failWorkflowExecution(machines, attributes, annotations) {
    machines.addTerminal(failWorkflow(attributes), annotations);
  },
  cancelWorkflowExecution(machines, attributes, annotations) {
    machines.addTerminal(cancelWorkflow(attributes), annotations);
  },
  continueAsNewWorkflowExecution(machines, attributes, annotations) {
    const full = carryOver(machines, attributes);
    const sameBuild = staysOnBuild(machines, attributes.versioningIntent, attributes.taskQueue);
    machines.addTerminal(continueAsNew(full, sameBuild), annotations);
  },
};

const terminals = new Set<string>([
  'completeWorkflowExecution',
  'failWorkflowExecution',
  'cancelWorkflowExecution',
  'continueAsNewWorkflowExecution',
] satisfies Variant[]);

/** The name of the command's oneof field; undefined for an empty command. */
export function variantOf(command: LangCommand): string | undefined {
  for (const key of Object.keys(command)) {
    if (key === 'userMetadata' || key === 'eventGroupMarkers' || key === 'variant') continue;
    const value = command[key as Variant];
    if (value !== null && value !== undefined) return key;
  }
  return undefined;
}

/** True for commands that end the workflow. */
export function isTerminal(variant: string | undefined): boolean {
  return variant !== undefined && terminals.has(variant);
}

export function applyLangCommand(machines: WorkflowMachines, command: LangCommand): void {
  const variant = variantOf(command);
  if (variant === undefined) throw new FatalMachineError('A workflow command was empty');
  const handler = handlers[variant as Variant] as
    ((machines: WorkflowMachines, attributes: unknown, annotations: Annotations) => void) | undefined;
  if (handler === undefined) {
    throw new FatalMachineError(`Workflow command ${variant} is not supported: this engine has no Nexus operations`);
  }
  handler(machines, command[variant as Variant], annotationsOf(command));
}

function known<M>(machines: Map<number, M>, seq: number | null | undefined, kind: string): M {
  const machine = machines.get(seq ?? 0);
  if (machine === undefined) throw new NondeterminismError(`Missing associated machine for ${kind}(${seq ?? 0})`);
  return machine;
}

const Intent = coresdk.common.VersioningIntent;

/** Whether a task or run should keep to this worker's version: by intent, else when it stays on this task queue. */
function staysOnBuild(
  machines: WorkflowMachines,
  intent: coresdk.common.VersioningIntent | null | undefined,
  taskQueue: string | null | undefined,
): boolean {
  if (intent === Intent.COMPATIBLE) return true;
  if (intent === Intent.DEFAULT) return false;
  return !taskQueue || taskQueue === machines.taskQueue;
}

/** A continued run keeps memo, retry policy and current search attributes unless it is given new ones. */
function carryOver(
  machines: WorkflowMachines,
  attributes: commands.IContinueAsNewWorkflowExecution,
): commands.IContinueAsNewWorkflowExecution {
  const { started } = machines;
  const current = machines.currentSearchAttributes();
  return {
    ...attributes,
    memo: isEmptyMap(attributes.memo) ? started?.memo : attributes.memo,
    retryPolicy: attributes.retryPolicy ?? started?.retryPolicy,
    searchAttributes: attributes.searchAttributes ?? (isEmptyMap(current) ? undefined : { indexedFields: current }),
  };
}

function setPatchMarker(machines: WorkflowMachines, id: string, deprecated: boolean, annotations: Annotations): void {
  const { patches, replaying, flags } = machines;
  const seenAhead = patches.has(id);
  if (patches.get(id) === true) return;
  machines.add(patch(id, deprecated), annotations);
  const mayUpsert = flags.tryUse(CoreFlag.UpsertSearchAttributeOnPatch, !replaying);
  // A replayed call without a marker in history made no upsert either.
  if (mayUpsert && !(replaying && !seenAhead)) upsertChangeVersion(machines, id, annotations);
  patches.set(id, true);
}

function upsertChangeVersion(machines: WorkflowMachines, id: string, annotations: Annotations): void {
  const ids = new Set([id]);
  for (const [other, created] of machines.patches) if (created) ids.add(other);
  const sorted = [...ids].sort(byUtf8);
  const payload = jsonPayload(sorted);
  // Temporal's core skips what the server would refuse; the marker alone decides the replay.
  if ((payload.data?.length ?? 0) >= MAX_SEARCH_ATTRIBUTE_BYTES) return;
  payload.metadata = { ...payload.metadata, type: new TextEncoder().encode('KeywordList') };
  machines.add(upsertOf({ indexedFields: { [CHANGE_VERSION_ATTRIBUTE]: payload } }), annotations);
}

/** Order of the UTF-8 bytes, as Rust sorts strings. */
function byUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function localActivityRequest(attributes: commands.IScheduleLocalActivity): LocalActivityRequest {
  const seq = attributes.seq ?? 0;
  const scheduleToCloseMs = optionalMs(attributes.scheduleToCloseTimeout);
  let scheduleToStartMs = optionalMs(attributes.scheduleToStartTimeout);
  let startToCloseMs = optionalMs(attributes.startToCloseTimeout);
  if (scheduleToCloseMs === undefined && startToCloseMs === undefined) {
    throw new FatalMachineError(
      `Invalid schedule local activity request (seq ${seq}): One or both of schedule_to_close or start_to_close timeouts must be set for local activities`,
    );
  }
  if (scheduleToCloseMs !== undefined) {
    if (scheduleToStartMs !== undefined) scheduleToStartMs = Math.min(scheduleToStartMs, scheduleToCloseMs);
    if (startToCloseMs !== undefined) startToCloseMs = Math.min(startToCloseMs, scheduleToCloseMs);
  }
  return {
    seq,
    activityId: attributes.activityId ?? '',
    activityType: attributes.activityType ?? '',
    attempt: attributes.attempt ?? 1,
    args: attributes.arguments ?? [],
    headers: attributes.headers ?? {},
    retryPolicy: attributes.retryPolicy ?? undefined,
    scheduleToCloseMs,
    scheduleToStartMs,
    startToCloseMs,
    localRetryThresholdMs: optionalMs(attributes.localRetryThreshold) ?? LOCAL_RETRY_THRESHOLD_MS,
    cancellationType: attributes.cancellationType ?? commands.ActivityCancellationType.TRY_CANCEL,
    originalScheduleTimeMs: optionalMs(attributes.originalScheduleTime),
  };
}

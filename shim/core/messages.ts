/** Short names for the Temporal messages the core reads and writes; all are plain objects of these shapes. */
import type { coresdk, google, temporal } from '@temporalio/proto';
import { int64, long } from '../common/proto-values';

export type Payload = temporal.api.common.v1.IPayload;
export type Payloads = temporal.api.common.v1.IPayloads;
export type PayloadMap = Record<string, Payload>;
export type Failure = temporal.api.failure.v1.IFailure;
export type RetryPolicy = temporal.api.common.v1.IRetryPolicy;
export type Command = temporal.api.command.v1.ICommand;
export type ProtocolMessage = temporal.api.protocol.v1.IMessage;
export type LangCommand = coresdk.workflow_commands.IWorkflowCommand;
export type QueryResult = coresdk.workflow_commands.IQueryResult;
export type ActivityResolution = coresdk.activity_result.IActivityResolution;
export type StartedAttributes = temporal.api.history.v1.IWorkflowExecutionStartedEventAttributes;
export type TaskCompletedAttributes = temporal.api.history.v1.IWorkflowTaskCompletedEventAttributes;

/** A Timestamp or Duration with plain numbers. */
export interface Instant {
  seconds: number;
  nanos: number;
}

type ProtoTime = google.protobuf.ITimestamp | google.protobuf.IDuration;

/** A Timestamp or Duration whose int64 is made a plain number. */
export function instant(value: ProtoTime): Instant {
  return { seconds: int64(value.seconds), nanos: value.nanos ?? 0 };
}

/** The same, undefined when absent. Typed for writing into a message field, whose int64 the proto types call Long. */
export function plainDuration(value: ProtoTime | null | undefined): google.protobuf.IDuration | undefined {
  return value === null || value === undefined ? undefined : protoTime(instant(value));
}

/** An Instant as the proto types name it. */
export function protoTime(value: Instant): google.protobuf.IDuration & google.protobuf.ITimestamp {
  return { seconds: long(value.seconds), nanos: value.nanos };
}

export function isLater(a: Instant, b: Instant): boolean {
  return a.seconds > b.seconds || (a.seconds === b.seconds && a.nanos > b.nanos);
}

/** A retry policy with plain-number durations. */
export function plainRetryPolicy(policy: RetryPolicy | null | undefined): RetryPolicy | undefined {
  if (policy === null || policy === undefined) return undefined;
  return {
    ...policy,
    initialInterval: plainDuration(policy.initialInterval),
    maximumInterval: plainDuration(policy.maximumInterval),
  };
}

/** Payloads, or undefined for none: Temporal leaves the field out of commands without arguments. */
export function payloadsOf(list: Payload[] | null | undefined): Payloads | undefined {
  return list === null || list === undefined || list.length === 0 ? undefined : { payloads: list };
}

/** True for null, undefined and `{}`. */
export function isEmptyMap(map: object | null | undefined): boolean {
  if (map === null || map === undefined) return true;
  for (const _ in map) return false;
  return true;
}

/** What lang attached to a command, to be repeated on commands the core makes on its behalf. */
export interface Annotations {
  userMetadata: temporal.api.sdk.v1.IUserMetadata | undefined;
  eventGroupMarkers: temporal.api.sdk.v1.IEventGroupMarker[] | undefined;
}

export const noAnnotations: Annotations = { userMetadata: undefined, eventGroupMarkers: undefined };

export function annotationsOf(command: LangCommand): Annotations {
  const { userMetadata, eventGroupMarkers } = command;
  if (!userMetadata && !eventGroupMarkers?.length) return noAnnotations;
  return {
    userMetadata: userMetadata ?? undefined,
    eventGroupMarkers: eventGroupMarkers?.length ? eventGroupMarkers : undefined,
  };
}

/** A cancellation inherits the annotations of what it cancels, except those it sets itself. */
export function overrideAnnotations(base: Annotations, over: Annotations): Annotations {
  if (over === noAnnotations) return base;
  const { summary, details } = over.userMetadata ?? {};
  return {
    userMetadata: over.userMetadata
      ? { summary: summary ?? base.userMetadata?.summary, details: details ?? base.userMetadata?.details }
      : base.userMetadata,
    eventGroupMarkers: over.eventGroupMarkers ?? base.eventGroupMarkers,
  };
}

/** Puts annotations on a command; absent ones leave no keys behind. */
export function annotate(command: Command, annotations: Annotations): Command {
  if (annotations.userMetadata !== undefined) command.userMetadata = annotations.userMetadata;
  if (annotations.eventGroupMarkers !== undefined) command.eventGroupMarkers = annotations.eventGroupMarkers;
  return command;
}

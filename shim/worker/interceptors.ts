/** Types of the worker's interceptors, as Temporal's. */
import type { Context as ActivityContext } from '@temporalio/activity';
import type { ClientInterceptors } from '@temporalio/client';
import type { Headers, MetricTags, Next } from '@temporalio/common';

export type { Headers, Next };

/** Makes the interceptors of one activity execution. */
export type ActivityInterceptorsFactory = (ctx: ActivityContext) => ActivityInterceptors;

export interface ActivityInterceptors {
  inbound?: ActivityInboundCallsInterceptor;
  outbound?: ActivityOutboundCallsInterceptor;
}

export interface ActivityInboundCallsInterceptor {
  /** Around the activity function. */
  execute?: (input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>) => Promise<unknown>;
}

export interface ActivityExecuteInput {
  readonly args: unknown[];
  readonly headers: Headers;
}

export interface ActivityOutboundCallsInterceptor {
  /** Attributes of each message logged through the activity's `log`. */
  getLogAttributes?: (
    input: GetLogAttributesInput,
    next: Next<ActivityOutboundCallsInterceptor, 'getLogAttributes'>,
  ) => Record<string, unknown>;
  /** Tags of each metric emitted by the activity. */
  getMetricTags?: (
    input: GetMetricTagsInput,
    next: Next<ActivityOutboundCallsInterceptor, 'getMetricTags'>,
  ) => MetricTags;
}

export type GetLogAttributesInput = Record<string, unknown>;
export type GetMetricTagsInput = MetricTags;

/** @deprecated Use {@link ActivityInterceptorsFactory}. */
export type ActivityInboundCallsInterceptorFactory = (ctx: ActivityContext) => ActivityInboundCallsInterceptor;

/** Interceptors given to a worker. Those for Nexus are never called: Nexus services are refused. */
export interface WorkerInterceptors {
  /** Interceptors of {@link Worker.client}, which activities get by `getClient()`. */
  client?: Pick<ClientInterceptors, 'workflow' | 'schedule'>;
  activity?: ActivityInterceptorsFactory[];
  nexus?: NexusInterceptorsFactory[];
  /** @deprecated Use {@link WorkerInterceptors.activity}. */
  activityInbound?: ActivityInboundCallsInterceptorFactory[];
  /** Paths of modules that export `interceptors`, bundled with the workflows. */
  workflowModules?: string[];
}

export interface CompiledWorkerInterceptors {
  client: Required<Pick<ClientInterceptors, 'workflow' | 'schedule'>>;
  activity: ActivityInterceptorsFactory[];
  workflowModules: string[];
}

/** Never called: Nexus services are refused. */
export type NexusInterceptorsFactory = (ctx: never) => NexusInterceptors;

export interface NexusInterceptors {
  inbound?: NexusInboundCallsInterceptor;
  outbound?: NexusOutboundCallsInterceptor;
}

export interface NexusInboundCallsInterceptor {
  startOperation?: (
    input: NexusStartOperationInput,
    next: Next<NexusInboundCallsInterceptor, 'startOperation'>,
  ) => Promise<NexusStartOperationOutput>;
  cancelOperation?: (
    input: NexusCancelOperationInput,
    next: Next<NexusInboundCallsInterceptor, 'cancelOperation'>,
  ) => Promise<void>;
}

/* eslint-disable @typescript-eslint/no-explicit-any -- types of nexus-rpc, which is not needed here */
export interface NexusStartOperationInput {
  readonly ctx: any;
  readonly input: unknown;
}

export interface NexusStartOperationOutput {
  readonly result: any;
}

export interface NexusCancelOperationInput {
  readonly ctx: any;
  readonly token: string;
}
/* eslint-enable @typescript-eslint/no-explicit-any */

export interface NexusOutboundCallsInterceptor {
  getLogAttributes?: (
    input: GetLogAttributesInput,
    next: Next<NexusOutboundCallsInterceptor, 'getLogAttributes'>,
  ) => Record<string, unknown>;
  getMetricTags?: (input: GetMetricTagsInput, next: Next<NexusOutboundCallsInterceptor, 'getMetricTags'>) => MetricTags;
}

/**
 * Drop-in for `@temporalio/worker`: the same names, without the native library, on Postgres.
 *
 * ```ts
 * import { NativeConnection, Worker } from 'branchline/worker';
 * const connection = await NativeConnection.connect({ url: 'postgres://localhost/app' });
 * const worker = await Worker.create({
 *   connection,
 *   taskQueue: 'billing',
 *   workflowsPath: require.resolve('./workflows'),
 *   activities,
 * });
 * await worker.run();
 * ```
 * @module
 */
import '../common/sdk-version';
export { IllegalStateError, defaultPayloadConverter, type DataConverter } from '@temporalio/common';
export type { LoggerSinks } from '@temporalio/workflow';
export { workflowLogAttributes } from '@temporalio/workflow/lib/logs';
export { BranchlineError, BranchlineOptionError } from '../common/errors';
export { activityLogAttributes } from './activity/activity';
export { ActivityInboundLogInterceptor, appendDefaultInterceptors, defaultSinks } from './activity-log-interceptor';
export { bundleWorkflowCode } from './bundler/bundle';
export type { BundleOptions, BundlerPlugin, WorkflowBundleWithSourceMap } from './bundler/options';
export type { CompiledWorkerOptions } from './compiled-options';
export { NativeConnection } from './connection';
export type {
  DNSLoadBalancingConfig,
  GrpcCompressionConfig,
  NativeConnectionOptions,
  NativeConnectionPlugin,
  TLSConfig,
} from './connection';
export {
  CombinedWorkerRunError,
  type CombinedWorkerRunErrorCause,
  errors,
  GracefulShutdownPeriodExpiredError,
  PromiseCompletionTimeoutError,
  ShutdownError,
  TransportError,
  UnexpectedError,
  UnhandledRejectionError,
} from './errors';
export type * from './interceptors';
export { DefaultLogger, type LogEntry, type Logger, type LogLevel, type LogMetadata, LogTimestamp } from './logger';
export { type BufferedMetricUpdate, MetricsBuffer, type MetricsBufferOptions } from '../metrics/buffer';
export type {
  MetricsExporterConfig,
  MetricsExporterConfig as MetricsExporter,
  OtelCollectorExporter,
  PrometheusMetricsExporter,
} from './metrics/options';
export { ResourceBasedController, startDebugReplayer } from './refused';
export { ReplayError, type ReplayHistoriesIterable, type ReplayResult } from './replay-errors';
export { type History, Runtime } from './runtime';
export {
  type ConsoleLogger,
  type CoreLogFilterOptions,
  type ForwardLogger,
  type LogExporterConfig,
  makeTelemetryFilterString,
  type RuntimeOptions,
  type TelemetryOptions,
} from './runtime-options';
export type * from './sinks';
export { type State, Worker, type WorkerStatus } from './worker';
export type {
  PatchActivationCallback,
  EffectsJournalOptions,
  PatchActivationInput,
  PollerBehavior,
  ReplayWorkerOptions,
  WorkerDeploymentOptions,
  WorkerOptions,
  WorkerPlugin,
  WorkflowBundle,
  WorkflowBundleOption,
  WorkflowBundlePath,
  WorkflowBundlePathWithSourceMap,
} from './worker-options';
export type {
  ActivitySlotInfo,
  CustomSlotSupplier,
  FixedSizeSlotSupplier,
  LocalActivitySlotInfo,
  ResourceBasedSlotOptions,
  ResourceBasedSlotsForType,
  ResourceBasedTuner,
  ResourceBasedTunerOptions,
  ResourceBasedTunerWithController,
  SlotInfo,
  SlotMarkUsedContext,
  SlotPermit,
  SlotReleaseContext,
  SlotReserveContext,
  SlotSupplier,
  TunerHolder,
  WorkerTuner,
  WorkflowSlotInfo,
} from './worker-tuner';
export { WorkflowInboundLogInterceptor, WorkflowLogInterceptor } from './workflow-log-interceptor';

/** @deprecated No longer needed. */
export const defaultWorkflowInterceptorModules: never[] = [];

/** What `Worker.create` puts together, and the shapes that core and isolate take it in. */
import { createHash } from 'node:crypto';
import type { Logger, MetricMeter } from '@temporalio/common';
import { LoggerWithComposedMetadata } from '@temporalio/common/lib/logger';
import { sdkStamp } from '../common/sdk-version';
import type { CoreRunOptions } from '../core';
import { defaultBehavior, wireDeploymentOptions } from './deployment';
import { compileWorkerOptions, type CompiledWorkerOptions } from './compiled-options';
import type { WorkflowBundle, WorkflowHost } from './isolate/types';
import type { WorkerMetrics } from './metrics/sdk-metrics';
import type { Runtime } from './runtime';
import type { WorkerOptions } from './worker-options';
import { getOrCreateBundle } from './workflow-bundle';
import type { IsolateParts } from './workflow/run-isolate';

const packageName = 'branchline';

export interface WorkerParts {
  options: CompiledWorkerOptions;
  runtime: Runtime;
  logger: Logger;
  coreLogger: Logger;
  metricMeter: MetricMeter;
  /** Undefined: nothing is measured. */
  metrics: WorkerMetrics | undefined;
  /** Undefined without workflows. */
  bundle: WorkflowBundle | undefined;
  buildId: string;
}

/** Checks the options and bundles the workflows. */
export async function prepareWorker(runtime: Runtime, options: WorkerOptions): Promise<WorkerParts> {
  const logger = LoggerWithComposedMetadata.compose(runtime.logger, {
    sdkComponent: 'worker',
    taskQueue: options.taskQueue,
  });
  const metricMeter = runtime.metricMeter.withTags({
    namespace: options.namespace ?? 'default',
    taskQueue: options.taskQueue,
  });
  const compiled = compileWorkerOptions(options, logger, metricMeter);
  const bundle = await getOrCreateBundle(compiled, logger);
  // Short: it stands in each completed workflow task of each history, and does not compress.
  const hash = bundle === undefined ? '' : `+${createHash('sha256').update(bundle.code).digest('hex').slice(0, 16)}`;
  const buildId = compiled.workerDeploymentOptions?.version.buildId ?? compiled.buildId ?? `${packageName}${hash}`;
  return {
    options: { ...compiled, buildId },
    runtime,
    logger,
    coreLogger: runtime.coreLogger,
    metrics: runtime.metrics?.worker(compiled.namespace, compiled.taskQueue),
    metricMeter,
    bundle,
    buildId,
  };
}

const nondeterminism = ['NondeterminismError', 'DeterminismViolationError', 'Error'];

function failureErrorTypes(options: CompiledWorkerOptions, workflowType: string): string[] {
  const types: Record<string, string[]> = options.workflowFailureErrorTypes ?? {};
  return [...new Set([...(types['*'] ?? []), ...(types[workflowType] ?? [])])];
}

export function coreRunOptions({ options, buildId }: WorkerParts): CoreRunOptions {
  return {
    namespace: options.namespace,
    taskQueue: options.taskQueue,
    sdkName: sdkStamp.name,
    sdkVersion: sdkStamp.version,
    identity: options.identity,
    buildId,
    nondeterminismFailsWorkflow: (workflowType) =>
      failureErrorTypes(options, workflowType).some((name) => nondeterminism.includes(name)),
    deploymentOptions: wireDeploymentOptions(options.workerDeploymentOptions),
    defaultVersioningBehavior: defaultBehavior(options.workerDeploymentOptions),
  };
}

export function isolateParts(parts: WorkerParts, host: WorkflowHost, isReplayWorker: boolean): IsolateParts {
  const { options, logger } = parts;
  return {
    host,
    namespace: options.namespace,
    taskQueue: options.taskQueue,
    dataConverter: options.loadedDataConverter,
    sinks: options.sinks,
    logger,
    isReplayWorker,
    showStackTraceSources: options.showStackTraceSources,
    failureExceptionTypeNames: (workflowType) => failureErrorTypes(options, workflowType),
  };
}

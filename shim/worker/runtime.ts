/** The process-wide runtime: logger, shutdown signals, and what is alive. */
import { IllegalStateError, noopMetricMeter, type Logger, type MetricMeter } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import { metricMeter } from '../metrics/meter';
import { isFlushableLogger } from './logger';
import type { SdkMetrics } from './metrics/sdk-metrics';
import { startMetrics } from './metrics/start';
import { compileRuntimeOptions, type CompiledRuntimeOptions, type RuntimeOptions } from './runtime-options';

export type History = temporal.api.history.v1.IHistory;

/**
 * One per process. {@link Runtime.install} sets its options before the first worker or connection; otherwise
 * {@link Runtime.instance} makes it with the defaults. It goes away (and its signal handlers with it) when the last worker and
 * connection have closed.
 */
export class Runtime {
  static _instance?: Runtime;
  static instantiator?: 'install' | 'instance';
  /** Remembered for when the runtime is made again after it went away. */
  static defaultOptions: RuntimeOptions = {};

  readonly logger: Logger;
  readonly coreLogger: Logger;
  /** For metrics of the application's own; drops them when `telemetryOptions.metrics` is not set, and after the runtime has gone. */
  readonly metricMeter: MetricMeter;
  /** @internal Undefined: nothing is measured. */
  readonly metrics: SdkMetrics | undefined;
  protected readonly backRefs = new Set<object>();
  protected readonly shutdownSignalCallbacks = new Set<() => void>();
  protected state: 'RUNNING' | 'SHUTTING_DOWN' = 'RUNNING';

  protected constructor(readonly options: CompiledRuntimeOptions) {
    this.logger = options.logger;
    this.coreLogger = options.coreLogger;
    this.metrics = startMetrics(options.metrics, this.coreLogger);
    this.metricMeter = this.metrics === undefined ? noopMetricMeter : metricMeter(this.metrics.exporter);
    for (const signal of options.shutdownSignals) process.on(signal, this.startShutdownSequence);
  }

  /**
   * Make the runtime with these options.
   * @throws IllegalStateError when it exists already
   */
  static install(options: RuntimeOptions): Runtime {
    if (this._instance !== undefined) {
      throw new IllegalStateError(
        this.instantiator === 'install'
          ? 'Runtime singleton has already been installed'
          : 'Runtime singleton has already been instantiated. Did you start a Worker before calling `install`?',
      );
    }
    return this.create(options, 'install');
  }

  /** The runtime, made with the options last installed (or the defaults) if there is none. */
  static instance(): Runtime {
    return this._instance ?? this.create(this.defaultOptions, 'instance');
  }

  protected static create(options: RuntimeOptions, instantiator: 'install' | 'instance'): Runtime {
    const compiled = compileRuntimeOptions(options);
    this.defaultOptions = options;
    this.instantiator = instantiator;
    this._instance = new this(compiled);
    return this._instance;
  }

  flushLogs(): void {
    if (isFlushableLogger(this.logger)) this.logger.flush();
  }

  /** @internal A worker or connection that keeps the runtime alive. */
  register(holder: object): void {
    this.backRefs.add(holder);
  }

  /** @internal */
  async deregister(holder: object): Promise<void> {
    this.backRefs.delete(holder);
    if (this.backRefs.size === 0) await this.shutdown();
  }

  /** @internal Remove the singleton and its signal handlers. */
  async shutdown(): Promise<void> {
    if (Runtime._instance === this) Runtime._instance = undefined;
    this.teardownShutdownHook();
    if (isFlushableLogger(this.logger)) {
      this.logger.flush();
      this.logger.close?.();
    }
    await this.metrics?.close();
  }

  /** @internal Called once a shutdown signal came (at once if it came before). */
  registerShutdownSignalCallback(callback: () => void): void {
    if (this.state === 'RUNNING') this.shutdownSignalCallbacks.add(callback);
    else queueMicrotask(callback);
  }

  /** @internal */
  deregisterShutdownSignalCallback(callback: () => void): void {
    this.shutdownSignalCallbacks.delete(callback);
  }

  protected teardownShutdownHook(): void {
    for (const signal of this.options.shutdownSignals) process.off(signal, this.startShutdownSequence);
  }

  protected startShutdownSequence = (): void => {
    this.state = 'SHUTTING_DOWN';
    // A second signal then ends the process, as it does without handlers.
    this.teardownShutdownHook();
    for (const callback of this.shutdownSignalCallbacks) queueMicrotask(callback);
    this.shutdownSignalCallbacks.clear();
  };
}

/** Metrics kept as single updates until the application takes them: `MetricsBuffer`. */
import { IllegalStateError, type Logger, type Metric, type MetricTags } from '@temporalio/common';
import type { ExportedMetric, Exporter, MetricSpec, Series, Tags } from './types';

export interface MetricsBufferOptions {
  /** Updates kept at most; beyond it they are dropped, with an error in the log. Default 10,000. */
  maxBufferSize?: number;
  /** Durations in seconds instead of ms. Default false. */
  useSecondsForDurations?: boolean;
}

export interface BufferedMetricUpdate {
  /** The same object for each update of a metric. */
  metric: Metric;
  /** Of counters what was added; of gauges and histograms the value. */
  value: number;
  /** The same object for each update of a series. */
  attributes: MetricTags;
}

/** Give it to `telemetryOptions.metrics.buffer`, and call {@link MetricsBuffer.retrieveUpdates} often. */
export class MetricsBuffer {
  readonly maxBufferSize: number;
  readonly useSecondsForDurations: boolean;
  private exporter: BufferExporter | undefined;
  /** Of a runtime that is gone. */
  private left: BufferedMetricUpdate[] = [];

  constructor(options: MetricsBufferOptions = {}) {
    this.maxBufferSize = options.maxBufferSize ?? 10_000;
    this.useSecondsForDurations = options.useSecondsForDurations ?? false;
  }

  /** All updates since the last call. */
  retrieveUpdates(): ArrayIterator<BufferedMetricUpdate> {
    const updates = [...this.left, ...(this.exporter?.take() ?? [])];
    this.left = [];
    return updates.values();
  }

  /** @internal @throws IllegalStateError when another runtime has it */
  bind(logger: Logger): Exporter {
    if (this.exporter !== undefined) throw new IllegalStateError('MetricsBuffer already bound to a runtime');
    const exporter = new BufferExporter(this, logger, () => {
      this.left.push(...exporter.take());
      this.exporter = undefined;
    });
    this.exporter = exporter;
    return exporter;
  }
}

interface Observed {
  metric: Metric;
  attributes: MetricTags;
  read: () => number;
  last: number | undefined;
}

class BufferExporter implements Exporter {
  private updates: BufferedMetricUpdate[] = [];
  private readonly metrics = new Map<string, ExportedMetric>();
  private readonly observed = new Set<Observed>();
  private full = false;

  constructor(
    private readonly options: Required<MetricsBufferOptions>,
    private readonly logger: Logger,
    private readonly onClose: () => void,
  ) {}

  metric(spec: MetricSpec): ExportedMetric {
    const key = JSON.stringify([spec.kind, spec.valueType, spec.name, spec.unit, spec.description]);
    let metric = this.metrics.get(key);
    if (metric === undefined) this.metrics.set(key, (metric = this.create(spec)));
    return metric;
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.onClose();
    return Promise.resolve();
  }

  /** Gauges that are read come with it when they have changed. */
  take(): BufferedMetricUpdate[] {
    for (const gauge of this.observed) {
      const value = gauge.read();
      if (value === gauge.last) continue;
      gauge.last = value;
      this.push({ metric: gauge.metric, value, attributes: gauge.attributes });
    }
    const taken = this.updates;
    this.updates = [];
    this.full = false;
    return taken;
  }

  private create({ name, kind, valueType, unit, description }: MetricSpec): ExportedMetric {
    const seconds = valueType === 'duration' && this.options.useSecondsForDurations;
    const float = valueType === 'float' || seconds;
    const metric: Metric = {
      name,
      kind,
      valueType: float ? 'float' : 'int',
      unit: valueType === 'duration' ? (seconds ? 's' : 'ms') : unit,
      description,
    };
    const convert = seconds ? (ms: number) => ms / 1000 : float ? (value: number) => value : Math.trunc;
    const known = new Map<string, Series>();
    const series = (tags: Tags): Series => {
      const key = JSON.stringify(tags);
      let found = known.get(key);
      if (found === undefined) {
        const attributes = { ...tags };
        found = { record: (value) => this.push({ metric, value: convert(value), attributes }) };
        known.set(key, found);
      }
      return found;
    };
    const observe = (tags: Tags, read: () => number): (() => void) => {
      const gauge: Observed = { metric, attributes: { ...tags }, read, last: undefined };
      this.observed.add(gauge);
      return () => void this.observed.delete(gauge);
    };
    return { series, observe };
  }

  private push(update: BufferedMetricUpdate): void {
    if (this.updates.length < this.options.maxBufferSize) {
      this.updates.push(update);
    } else if (!this.full) {
      this.full = true;
      this.logger.error('The metrics buffer is full: updates are dropped. Call retrieveUpdates more often');
    }
  }
}

/**
 * What Prometheus is shown. Not prom-client: one name may carry several sets of labels here, as Temporal's custom metrics do, and a
 * series is bound once and recorded to without building label keys.
 */
import { bucketsOf } from '../buckets';
import type { ExportedMetric, MetricKind, MetricSpec, Series, Tags } from '../types';

export interface RegistryOptions {
  /** Counters end in `_total`. */
  countersTotalSuffix: boolean;
  /** Histograms end in their unit. */
  unitSuffix: boolean;
  useSecondsForDurations: boolean;
  /** By a part of the metric's name, without suffixes. */
  histogramBucketOverrides: Record<string, number[]>;
  /** On every series, after its own labels. */
  globalTags: Record<string, string>;
}

/** Label names and values, sorted by name. */
export type Labels = readonly (readonly [name: string, value: string])[];

export interface Sample {
  labels: Labels;
  /** The value, or of a histogram one count per bucket and one beyond the last. */
  value: number | { counts: readonly number[]; sum: number };
}

export interface Family {
  name: string;
  help: string;
  type: 'counter' | 'gauge' | 'histogram';
  buckets: readonly number[];
  samples: Sample[];
}

class NumberSeries implements Series {
  value = 0;
  /** Gauges that are read when somebody looks. */
  readonly readers = new Set<() => number>();
  written = false;

  constructor(
    readonly labels: Labels,
    private readonly kind: MetricKind,
    private readonly whole: boolean,
  ) {}

  record(value: number): void {
    const amount = this.whole ? Math.trunc(value) : value;
    this.written = true;
    this.value = this.kind === 'gauge' ? amount : this.value + amount;
  }

  /** Undefined for a gauge that nobody tells or is asked for any more. */
  sample(): Sample | undefined {
    if (this.readers.size === 0) return this.written ? { labels: this.labels, value: this.value } : undefined;
    let value = 0;
    for (const read of this.readers) value += read();
    return { labels: this.labels, value };
  }
}

class HistogramSeries implements Series {
  private readonly counts: number[];
  private sum = 0;

  constructor(
    readonly labels: Labels,
    private readonly buckets: readonly number[],
    private readonly convert: (value: number) => number,
  ) {
    this.counts = new Array<number>(buckets.length + 1).fill(0);
  }

  record(value: number): void {
    const converted = this.convert(value);
    let i = 0;
    while (i < this.buckets.length && converted > (this.buckets[i] as number)) i++;
    this.counts[i]! += 1;
    this.sum += converted;
  }

  sample(): Sample {
    return { labels: this.labels, value: { counts: this.counts, sum: this.sum } };
  }
}

/** Prometheus takes letters, digits, underscores (and in names of metrics, colons). */
const metricName = (name: string): string => name.replace(/[^a-zA-Z0-9_:]/g, '_').replace(/^(?=\d)/, '_');
const labelName = (name: string): string => name.replace(/[^a-zA-Z0-9_]/g, '_').replace(/^(?=\d)/, '_');

function labelsOf(tags: Tags): Labels {
  return Object.entries(tags)
    .map(([name, value]) => [labelName(name), String(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

class PrometheusMetric implements ExportedMetric {
  readonly buckets: readonly number[];
  private readonly all = new Map<string, NumberSeries | HistogramSeries>();

  constructor(
    readonly name: string,
    private readonly spec: MetricSpec,
    private readonly options: RegistryOptions,
  ) {
    this.buckets =
      spec.kind === 'histogram'
        ? bucketsOf(spec.name, options.useSecondsForDurations, options.histogramBucketOverrides)
        : [];
  }

  series(tags: Tags): Series {
    return this.find(tags);
  }

  observe(tags: Tags, read: () => number): () => void {
    const series = this.find(tags);
    if (!(series instanceof NumberSeries)) throw new TypeError(`${this.name} is a histogram: it cannot be read`);
    series.readers.add(read);
    return () => void series.readers.delete(read);
  }

  get type(): Family['type'] {
    return typeOf(this.spec);
  }

  family(): Family {
    const samples: Sample[] = [];
    for (const series of this.all.values()) {
      const sample = series.sample();
      if (sample !== undefined) samples.push(sample);
    }
    const { name, type, buckets } = this;
    return { name, help: this.spec.description || name, type, buckets, samples };
  }

  private find(tags: Tags): NumberSeries | HistogramSeries {
    const labels = labelsOf(tags);
    const key = JSON.stringify(labels);
    let series = this.all.get(key);
    if (series === undefined) this.all.set(key, (series = this.make(labels)));
    return series;
  }

  private make(labels: Labels): NumberSeries | HistogramSeries {
    const { kind, valueType } = this.spec;
    if (kind !== 'histogram') return new NumberSeries(labels, kind, valueType === 'int');
    const inSeconds = valueType === 'duration' && this.options.useSecondsForDurations;
    const convert = inSeconds
      ? (ms: number) => ms / 1000
      : valueType === 'float'
        ? (value: number) => value
        : Math.trunc;
    return new HistogramSeries(labels, this.buckets, convert);
  }
}

const typeOf = ({ kind }: MetricSpec): Family['type'] => (kind === 'up-down-counter' ? 'gauge' : kind);

function exportedName({ name, kind, valueType, unit }: MetricSpec, options: RegistryOptions): string {
  if (kind === 'counter') return options.countersTotalSuffix ? `${name}_total` : name;
  if (kind !== 'histogram' || !options.unitSuffix) return name;
  const suffix = valueType === 'duration' ? (options.useSecondsForDurations ? 'seconds' : 'milliseconds') : unit;
  return suffix === '' ? name : `${name}_${suffix}`;
}

export class Registry {
  private readonly metrics = new Map<string, PrometheusMetric>();

  constructor(readonly options: RegistryOptions) {}

  /** @throws TypeError when the name stands for a metric of another kind: Prometheus allows one type per name */
  metric(spec: MetricSpec): ExportedMetric {
    const name = metricName(exportedName(spec, this.options));
    let metric = this.metrics.get(name);
    if (metric === undefined) {
      metric = new PrometheusMetric(name, spec, this.options);
      this.metrics.set(name, metric);
    } else if (metric.type !== typeOf(spec)) {
      throw new TypeError(`Metric '${name}' exists already as a ${metric.type}`);
    }
    return metric;
  }

  /** Everything that has a value, by name. */
  families(): Family[] {
    return [...this.metrics.values()]
      .map((metric) => metric.family())
      .filter(({ samples }) => samples.length > 0)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

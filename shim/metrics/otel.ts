/** Metrics to an OpenTelemetry collector over OTLP, by OpenTelemetry's own packages, which the application installs. */
import { createRequire } from 'node:module';
import { Metadata } from '@grpc/grpc-js';
import type { Attributes, Meter } from '@opentelemetry/api';
import type * as SdkMetrics from '@opentelemetry/sdk-metrics';
import type * as Resources from '@opentelemetry/resources';
import type * as Otlp from '@opentelemetry/exporter-metrics-otlp-proto';
import type * as OtlpGrpc from '@opentelemetry/exporter-metrics-otlp-grpc';
import { BranchlineError } from '../common/branchline-error';
import { bucketsOf } from './buckets';
import type { ExportedMetric, Exporter, MetricSpec, Series, Tags } from './types';

export interface OtelOptions {
  /** `http://`, `https://`, `grpc://` or `grpcs://`. OTEL_EXPORTER_OTLP_METRICS_ENDPOINT and OTEL_EXPORTER_OTLP_ENDPOINT go before it. */
  url: string;
  /** OTLP over HTTP (protobuf) instead of gRPC. */
  http: boolean;
  headers: Record<string, string>;
  exportIntervalMs: number;
  useSecondsForDurations: boolean;
  temporality: 'cumulative' | 'delta';
  histogramBucketOverrides: Record<string, number[]>;
  /** Attributes of the resource. */
  globalTags: Record<string, string>;
}

/** As Temporal's core names itself where OTEL_SERVICE_NAME says nothing. */
const serviceName = 'temporal-core-sdk';
const longestExportMs = 30_000;

const requireOptional = createRequire(__filename);

function load<T>(name: string): T {
  try {
    return requireOptional(name) as T;
  } catch (cause) {
    throw new BranchlineError(
      'BRANCHLINE_MISSING_PACKAGE',
      `telemetryOptions.metrics.otel needs ${name} . Install it: npm install ${name}`,
      { cause },
    );
  }
}

export class OtelExporter implements Exporter {
  private readonly meter: Meter;
  private readonly metrics = new Map<string, ExportedMetric>();
  private readonly shutdown: () => Promise<void>;

  /** @throws BranchlineError BRANCHLINE_MISSING_PACKAGE naming the package to install */
  constructor(private readonly options: OtelOptions) {
    const sdk = load<typeof SdkMetrics>('@opentelemetry/sdk-metrics');
    const { resourceFromAttributes } = load<typeof Resources>('@opentelemetry/resources');
    const reader = new sdk.PeriodicExportingMetricReader({
      exporter: pushExporter(sdk, options),
      exportIntervalMillis: options.exportIntervalMs,
      exportTimeoutMillis: Math.min(longestExportMs, options.exportIntervalMs),
    });
    const provider = new sdk.MeterProvider({
      readers: [reader],
      resource: resourceFromAttributes({ ...environmentAttributes(process.env), ...options.globalTags }),
    });
    this.meter = provider.getMeter(serviceName);
    this.shutdown = () => provider.shutdown();
  }

  metric(spec: MetricSpec): ExportedMetric {
    const key = `${spec.kind}:${spec.name}`;
    let metric = this.metrics.get(key);
    if (metric === undefined) this.metrics.set(key, (metric = this.create(spec)));
    return metric;
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  /** Sends what is left; a collector that is away is not waited for longer than an export may take. */
  async close(): Promise<void> {
    await this.shutdown().catch(() => undefined);
  }

  private create(spec: MetricSpec): ExportedMetric {
    const { name, description } = spec;
    const seconds = spec.valueType === 'duration' && this.options.useSecondsForDurations;
    const unit = spec.valueType === 'duration' ? (seconds ? 's' : 'ms') : spec.unit;
    const valueType = spec.valueType === 'float' || seconds ? 1 : 0;
    const given = { description, unit, valueType };
    const observable = new ObservedGauge(() => this.meter.createObservableGauge(name, given));
    const exported = (record: (value: number, tags: Attributes) => void): ExportedMetric => ({
      series: (tags): Series => ({ record: (value) => record(value, tags) }),
      observe: (tags, read) => observable.observe(tags, read),
    });
    const whole = spec.valueType === 'float' ? (value: number) => value : Math.trunc;
    switch (spec.kind) {
      case 'counter': {
        const counter = this.meter.createCounter(name, given);
        return exported((value, tags) => counter.add(whole(value), tags));
      }
      case 'up-down-counter': {
        const counter = this.meter.createUpDownCounter(name, given);
        return exported((value, tags) => counter.add(whole(value), tags));
      }
      case 'gauge': {
        // Made when first set: a gauge that is observed is another instrument of the same name.
        let gauge: ReturnType<Meter['createGauge']> | undefined;
        return exported((value, tags) => (gauge ??= this.meter.createGauge(name, given)).record(whole(value), tags));
      }
      case 'histogram': {
        const { useSecondsForDurations, histogramBucketOverrides } = this.options;
        const boundaries = [...bucketsOf(name, useSecondsForDurations, histogramBucketOverrides)];
        const histogram = this.meter.createHistogram(name, {
          ...given,
          advice: { explicitBucketBoundaries: boundaries },
        });
        const convert = seconds ? (ms: number) => ms / 1000 : whole;
        return exported((value, tags) => histogram.record(convert(value), tags));
      }
    }
  }
}

/** Readers by their labels; several with the same labels are added up. */
class ObservedGauge {
  private readonly byTags = new Map<string, { tags: Tags; readers: Set<() => number> }>();
  private made = false;

  constructor(private readonly make: () => ReturnType<Meter['createObservableGauge']>) {}

  observe(tags: Tags, read: () => number): () => void {
    const key = JSON.stringify(Object.entries(tags).sort());
    const entry = this.byTags.get(key) ?? { tags, readers: new Set() };
    this.byTags.set(key, entry);
    entry.readers.add(read);
    if (!this.made) {
      this.made = true;
      this.make().addCallback((result) => {
        for (const { tags, readers } of this.byTags.values()) {
          if (readers.size > 0)
            result.observe(
              [...readers].reduce((sum, reader) => sum + reader(), 0),
              tags,
            );
        }
      });
    }
    return () => void entry.readers.delete(read);
  }
}

function pushExporter(sdk: typeof SdkMetrics, options: OtelOptions): SdkMetrics.PushMetricExporter {
  const temporalityPreference =
    options.temporality === 'delta' ? sdk.AggregationTemporality.DELTA : sdk.AggregationTemporality.CUMULATIVE;
  const url = endpoint(options, process.env);
  if (options.http) {
    const { OTLPMetricExporter } = load<typeof Otlp>('@opentelemetry/exporter-metrics-otlp-proto');
    return new OTLPMetricExporter({ url, headers: options.headers, temporalityPreference });
  }
  const { OTLPMetricExporter } = load<typeof OtlpGrpc>('@opentelemetry/exporter-metrics-otlp-grpc');
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(options.headers)) metadata.set(name, value);
  return new OTLPMetricExporter({
    url: url.replace(/^grpc(s?):/, 'http$1:'),
    metadata,
    temporalityPreference,
  });
}

/** The environment goes before the option, as in Temporal's core. */
export function endpoint({ url, http }: Pick<OtelOptions, 'url' | 'http'>, env: NodeJS.ProcessEnv): string {
  if (env.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT) return env.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT;
  const general = env.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (!general) return url;
  return http ? `${general.replace(/\/$/, '')}/v1/metrics` : general;
}

/** OTEL_RESOURCE_ATTRIBUTES (`key=value,…`) and OTEL_SERVICE_NAME. */
function environmentAttributes(env: NodeJS.ProcessEnv): Record<string, string> {
  const attributes: Record<string, string> = { 'service.name': serviceName };
  for (const pair of (env.OTEL_RESOURCE_ATTRIBUTES ?? '').split(',')) {
    const at = pair.indexOf('=');
    if (at > 0) attributes[pair.slice(0, at).trim()] = decodeURIComponent(pair.slice(at + 1).trim());
  }
  if (env.OTEL_SERVICE_NAME) attributes['service.name'] = env.OTEL_SERVICE_NAME;
  return attributes;
}

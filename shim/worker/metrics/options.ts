/** Options of metrics, as Temporal has them, checked and completed. */
import { msToNumber, type Duration } from '@temporalio/common/lib/time';
import { BranchlineOptionError } from '../../common/errors';
import { MetricsBuffer } from '../../metrics/buffer';
import type { OtelOptions } from '../../metrics/otel';
import { parseBindAddress, type PrometheusOptions } from '../../metrics/prometheus/exporter';

/** Where metrics go: exactly one of the exporters. */
export type MetricsExporterConfig = {
  /** @deprecated Use `otel.temporality`. */
  temporality?: 'cumulative' | 'delta';
  /** Before the names of Temporal's metrics. Default `temporal_`. Those of Branchline's own always begin with `branchline_`. */
  metricPrefix?: string;
  /** On all metrics: labels of each series (Prometheus), attributes of the resource (OpenTelemetry). Refused with a buffer. */
  globalTags?: Record<string, string>;
  /** The label `service_name="temporal-core-sdk"` on Temporal's and Branchline's metrics. Default true. */
  attachServiceName?: boolean;
} & (PrometheusMetricsExporter | OtelCollectorExporter | BufferedMetricsExporter);

/** Metrics are pushed over OTLP. Needs the packages `@opentelemetry/sdk-metrics`, `…/resources` and an exporter (docs/metrics.md). */
export interface OtelCollectorExporter {
  otel: {
    /**
     * `http://host:4317` or `grpc://host:4317`; with `http`, `http://host:4318/v1/metrics`; `https` or `grpcs` with TLS.
     * The environment variable OTEL_EXPORTER_OTLP_ENDPOINT goes before it.
     */
    url: string;
    /** OTLP over HTTP instead of gRPC. Default false. */
    http?: boolean;
    /** Sent with each export. */
    headers?: Record<string, string>;
    /** Default 1 s. */
    metricsExportInterval?: Duration;
    /** Default false: ms. */
    useSecondsForDurations?: boolean;
    /** Default cumulative. */
    temporality?: 'cumulative' | 'delta';
    /** Boundaries by a part of the metric's name. */
    histogramBucketOverrides?: Record<string, number[]>;
  };
}

/** Metrics are served on `http://bindAddress/metrics`. */
export interface PrometheusMetricsExporter {
  prometheus: {
    /** host:port */
    bindAddress: string;
    /** Names of counters end in `_total`. Default false. */
    countersTotalSuffix?: boolean;
    /** Names of histograms end in their unit. Default false. */
    unitSuffix?: boolean;
    /** Default false: ms. */
    useSecondsForDurations?: boolean;
    /** Boundaries by a part of the metric's name. */
    histogramBucketOverrides?: Record<string, number[]>;
  };
}

/** Metrics are kept until the application takes them. */
export interface BufferedMetricsExporter {
  /** A {@link MetricsBuffer}. */
  buffer: Pick<MetricsBuffer, 'maxBufferSize' | 'useSecondsForDurations' | 'retrieveUpdates'>;
}

export interface CompiledMetricsOptions {
  metricPrefix: string;
  attachServiceName: boolean;
  exporter:
    | { type: 'prometheus'; options: PrometheusOptions }
    | { type: 'otel'; options: OtelOptions }
    | { type: 'buffer'; buffer: MetricsBuffer };
}

/**
 * @throws TypeError for values that make no sense, in the words of Temporal's own check; BranchlineOptionError for more than one
 *   exporter, for none, and for what the chosen one cannot honour
 */
export function compileMetricsOptions(
  config: MetricsExporterConfig | undefined,
  noPrefix = false,
): CompiledMetricsOptions | undefined {
  if (config === undefined) return undefined;
  return {
    metricPrefix: config.metricPrefix ?? (noPrefix ? '' : 'temporal_'),
    attachServiceName: config.attachServiceName ?? true,
    exporter: exporterOf(config),
  };
}

function exporterOf(config: MetricsExporterConfig): CompiledMetricsOptions['exporter'] {
  const { prometheus, otel, buffer } = config as Partial<
    PrometheusMetricsExporter & OtelCollectorExporter & BufferedMetricsExporter
  >;
  const named = Object.entries({ prometheus, otel, buffer }).filter(([, value]) => value !== undefined);
  if (named.length !== 1) {
    const names = named.map(([name]) => name).join(' and ') || 'none';
    throw new BranchlineOptionError(
      'telemetryOptions.metrics',
      `name one of prometheus, otel and buffer, not ${names}.`,
    );
  }
  if (config.temporality !== undefined && otel === undefined) {
    throw new BranchlineOptionError('telemetryOptions.metrics.temporality', 'it is for otel only.');
  }
  const globalTags = config.globalTags ?? {};
  if (prometheus !== undefined) return { type: 'prometheus', options: prometheusOptions(prometheus, globalTags) };
  if (otel !== undefined) return { type: 'otel', options: otelOptions(otel, config.temporality, globalTags) };
  if (!(buffer instanceof MetricsBuffer)) throw new TypeError('Invalid metrics.buffer: expected a MetricsBuffer');
  if (Object.keys(globalTags).length > 0) {
    throw new BranchlineOptionError('telemetryOptions.metrics.globalTags', 'a buffer takes none; add them yourself.');
  }
  return { type: 'buffer', buffer };
}

function prometheusOptions(
  options: PrometheusMetricsExporter['prometheus'],
  globalTags: Record<string, string>,
): PrometheusOptions {
  const address = parseBindAddress(options.bindAddress);
  if (address === undefined) {
    throw new TypeError(`Invalid metricsExporter.prometheus.socketAddr: '${options.bindAddress}' is not host:port`);
  }
  return {
    ...address,
    countersTotalSuffix: options.countersTotalSuffix ?? false,
    unitSuffix: options.unitSuffix ?? false,
    useSecondsForDurations: options.useSecondsForDurations ?? false,
    histogramBucketOverrides: bucketOverrides(options.histogramBucketOverrides),
    globalTags,
  };
}

function otelOptions(
  options: OtelCollectorExporter['otel'],
  temporality: 'cumulative' | 'delta' = 'cumulative',
  globalTags: Record<string, string>,
): OtelOptions {
  if (!URL.canParse(options.url) || !/^(https?|grpcs?):$/.test(new URL(options.url).protocol)) {
    throw new TypeError(`Invalid metricsExporter.otel.url: '${options.url}'`);
  }
  return {
    url: options.url,
    http: options.http ?? false,
    headers: options.headers ?? {},
    exportIntervalMs: msToNumber(options.metricsExportInterval ?? '1s'),
    useSecondsForDurations: options.useSecondsForDurations ?? false,
    temporality: options.temporality ?? temporality,
    histogramBucketOverrides: bucketOverrides(options.histogramBucketOverrides),
    globalTags,
  };
}

function bucketOverrides(overrides: Record<string, number[]> = {}): Record<string, number[]> {
  for (const [name, buckets] of Object.entries(overrides)) {
    const rising = buckets.every((bound, i) => Number.isFinite(bound) && (i === 0 || bound > buckets[i - 1]!));
    if (!rising) throw new TypeError(`Invalid histogramBucketOverrides.${name}: boundaries must rise`);
  }
  return overrides;
}

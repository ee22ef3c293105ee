/** `metricMeter`: metrics of the application's own, under the names that it gives them. */
import type {
  MetricCounter,
  MetricGauge,
  MetricHistogram,
  MetricMeter,
  MetricTags,
  MetricUpDownCounter,
  NumericMetricValueType,
} from '@temporalio/common';
import { MetricMeterWithComposedTags } from '@temporalio/common/lib/metrics';
import type { ExportedMetric, Exporter, MetricKind } from './types';

/** A meter whose metrics go to the exporter, without prefix or labels of ours. */
export function metricMeter(exporter: Exporter): MetricMeter {
  return MetricMeterWithComposedTags.compose(new ExporterMeter(exporter), {}, true);
}

/** Labels are composed by the meter around it. */
class ExporterMeter implements MetricMeter {
  constructor(private readonly exporter: Exporter) {}

  createCounter(name: string, unit = '', description = ''): MetricCounter {
    const metric = this.create('counter', name, 'int', unit, description);
    return {
      ...{ kind: 'counter', valueType: 'int', name, unit, description },
      add: (value, tags = {}) => metric.series(tags).record(notNegative('MetricCounter', value)),
      withTags,
    };
  }

  createHistogram(
    name: string,
    valueType: NumericMetricValueType = 'int',
    unit = '',
    description = '',
  ): MetricHistogram {
    const metric = this.create('histogram', name, valueType, unit, description);
    return {
      ...{ kind: 'histogram', valueType, name, unit, description },
      record: (value, tags = {}) => metric.series(tags).record(notNegative('MetricHistogram', value)),
      withTags,
    };
  }

  createGauge(name: string, valueType: NumericMetricValueType = 'int', unit = '', description = ''): MetricGauge {
    const metric = this.create('gauge', name, valueType, unit, description);
    return {
      ...{ kind: 'gauge', valueType, name, unit, description },
      set: (value, tags = {}) => metric.series(tags).record(notNegative('MetricGauge', value)),
      withTags,
    };
  }

  createUpDownCounter(name: string, unit = '', description = ''): MetricUpDownCounter {
    const metric = this.create('up-down-counter', name, 'int', unit, description);
    return {
      ...{ kind: 'up-down-counter', valueType: 'int', name, unit, description },
      add: (value, tags: MetricTags = {}) => metric.series(tags).record(value),
      withTags,
    };
  }

  withTags(): never {
    return withTags();
  }

  private create(
    kind: MetricKind,
    name: string,
    valueType: NumericMetricValueType,
    unit: string,
    description: string,
  ): ExportedMetric {
    return this.exporter.metric({ kind, name, valueType, unit, description });
  }
}

function withTags(): never {
  throw new Error('Tags are composed by the meter around this one');
}

function notNegative(what: string, value: number): number {
  if (value < 0) throw new Error(`${what} value must be non-negative (got ${value})`);
  return value;
}

/** Starts the exporter that a runtime's options name. */
import type { Logger } from '@temporalio/common';
import { OtelExporter } from '../../metrics/otel';
import { PrometheusExporter } from '../../metrics/prometheus/exporter';
import type { Exporter } from '../../metrics/types';
import type { CompiledMetricsOptions } from './options';
import { SdkMetrics } from './sdk-metrics';

/** Undefined when nothing is to be measured. */
export function startMetrics(options: CompiledMetricsOptions | undefined, logger: Logger): SdkMetrics | undefined {
  if (options === undefined) return undefined;
  const exporter = startExporter(options.exporter, logger);
  // Said at once; whoever connects or makes a worker is told as well.
  exporter.ready().catch((error: unknown) => logger.error('Metrics are not exported', { error }));
  return new SdkMetrics(exporter, options);
}

function startExporter(chosen: CompiledMetricsOptions['exporter'], logger: Logger): Exporter {
  switch (chosen.type) {
    case 'prometheus':
      return new PrometheusExporter(chosen.options);
    case 'otel':
      return new OtelExporter(chosen.options);
    case 'buffer':
      return chosen.buffer.bind(logger);
  }
}

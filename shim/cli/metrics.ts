/** `--metrics-port`: how Postgres serves this process, for Prometheus. */
import { measurePostgres } from '../metrics/postgres';
import { PrometheusExporter } from '../metrics/prometheus/exporter';

export interface ServedMetrics {
  /** host:port */
  address: string;
  close(): Promise<void>;
}

/** @throws BranchlineError BRANCHLINE_METRICS_BIND */
export async function serveMetrics(host: string, port: number): Promise<ServedMetrics> {
  const exporter = new PrometheusExporter({
    ...{ host, port, globalTags: {}, histogramBucketOverrides: {} },
    ...{ countersTotalSuffix: false, unitSuffix: false, useSecondsForDurations: false },
  });
  await exporter.ready();
  const end = measurePostgres(exporter, {});
  return {
    address: exporter.address,
    async close() {
      end();
      await exporter.close();
    },
  };
}

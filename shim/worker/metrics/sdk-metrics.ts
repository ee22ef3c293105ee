/** A runtime's metrics: where they go, and what Temporal's own are called. Undefined wherever nothing is measured. */
import { measurePostgres } from '../../metrics/postgres';
import { Recorder } from '../../metrics/recorder';
import type { Exporter, Tags } from '../../metrics/types';
import { requestCatalogue, workerCatalogue } from './catalogue';

export interface SdkMetricsOptions {
  /** Before the names of Temporal's metrics. */
  metricPrefix: string;
  /** Adds the label `service_name`. */
  attachServiceName: boolean;
}

/** What Temporal's core calls itself, and dashboards may select by. */
const serviceName = 'temporal-core-sdk';

export type WorkerMetrics = Recorder<typeof workerCatalogue>;
export type RequestMetrics = Recorder<typeof requestCatalogue>;

export class SdkMetrics {
  readonly requests: RequestMetrics;
  private readonly endPostgres: () => void;

  constructor(
    readonly exporter: Exporter,
    private readonly options: SdkMetricsOptions,
  ) {
    this.requests = new Recorder(exporter, requestCatalogue, options.metricPrefix, this.commonTags);
    this.endPostgres = measurePostgres(exporter, this.commonTags);
  }

  async close(): Promise<void> {
    this.endPostgres();
    await this.exporter.close();
  }

  worker(namespace: string, taskQueue: string): WorkerMetrics {
    const tags = { ...this.commonTags, namespace, task_queue: taskQueue };
    return new Recorder(this.exporter, workerCatalogue, this.options.metricPrefix, tags);
  }

  get commonTags(): Tags {
    return this.options.attachServiceName ? { service_name: serviceName } : {};
  }
}

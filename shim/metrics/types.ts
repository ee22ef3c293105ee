/** What is measured, and the door to whoever takes the measurements: Prometheus, OpenTelemetry or a buffer. */

/** Labels of a measurement. */
export type Tags = Readonly<Record<string, string | number | boolean>>;

export type MetricKind = 'counter' | 'histogram' | 'gauge' | 'up-down-counter';

export interface MetricSpec {
  /** Complete: with its prefix. */
  name: string;
  kind: MetricKind;
  /** `duration`: recorded in ms, exported as whole ms or as seconds, whichever the exporter was asked for. */
  valueType: 'int' | 'float' | 'duration';
  /** Empty: none. Of durations the exporter sets it. */
  unit: string;
  /** Empty: none. */
  description: string;
}

/** A metric with all its labels. */
export interface Series {
  /** Adds to a counter, sets a gauge, observes a value of a histogram. */
  record(value: number): void;
}

export interface ExportedMetric {
  /** The same labels give the same series. */
  series(tags: Tags): Series;
  /** A gauge whose value is read whenever somebody looks. Of several with the same labels the sum counts. Gives what ends it. */
  observe(tags: Tags, read: () => number): () => void;
}

export interface Exporter {
  /** The same name and kind give the same metric. */
  metric(spec: MetricSpec): ExportedMetric;
  /** Resolves when measurements can leave. Rejects with a coded error when they never will. */
  ready(): Promise<void>;
  /** What was measured so far leaves, where that is not asked for. */
  close(): Promise<void>;
}

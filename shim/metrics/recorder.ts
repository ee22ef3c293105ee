/** Records metrics by name with a common prefix and common labels; series are made once. */
import type { Exporter, MetricSpec, Series, Tags } from './types';

/** Name (without prefix) → what it is. */
export type Catalogue = Readonly<Record<string, Omit<MetricSpec, 'name'>>>;

export class Recorder<C extends Catalogue> {
  private readonly made = new Map<string, Series>();

  constructor(
    private readonly exporter: Exporter,
    private readonly catalogue: C,
    private readonly prefix: string,
    private readonly tags: Tags,
  ) {}

  /** Adds to a counter, sets a gauge, observes a value of a histogram (durations in ms). The labels of a name are always the same ones. */
  record(name: keyof C & string, value: number, tags?: Readonly<Record<string, string>>): void {
    let key: string = name;
    if (tags !== undefined) for (const label in tags) key += `\0${tags[label]}`;
    let series = this.made.get(key);
    if (series === undefined) {
      series = this.metric(name).series({ ...this.tags, ...tags });
      this.made.set(key, series);
    }
    series.record(value);
  }

  /** A gauge that is read when somebody looks; gives what ends it. */
  observe(name: keyof C & string, tags: Tags, read: () => number): () => void {
    return this.metric(name).observe({ ...this.tags, ...tags }, read);
  }

  with(tags: Tags): Recorder<C> {
    return new Recorder(this.exporter, this.catalogue, this.prefix, { ...this.tags, ...tags });
  }

  private metric(name: keyof C & string): ReturnType<Exporter['metric']> {
    return this.exporter.metric({ name: this.prefix + name, ...this.catalogue[name]! });
  }
}

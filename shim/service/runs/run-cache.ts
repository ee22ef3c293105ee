/** Loaded runs, least recently used first, bounded by count and by an estimate of bytes. */
import type { RunHandle } from './run-handle';

/** A handle without its history takes about this much of the heap, and a byte of history this many (measured on 3,000 sleeping runs: 28 kB each). */
const BASE_BYTES = 12_000;
const HEAP_PER_HISTORY_BYTE = 8;

export class RunCache {
  private readonly runs = new Map<string, RunHandle>();
  private bytes = 0;

  constructor(
    private readonly maxRuns: number,
    private readonly maxBytes: number,
  ) {}

  get(runId: string): RunHandle | undefined {
    return this.runs.get(runId);
  }

  add(handle: RunHandle): void {
    this.runs.set(handle.runId, handle);
    this.weigh(handle);
  }

  /** Counts a handle anew, moves it to the young end, and lets old clean ones go. */
  touch(handle: RunHandle): void {
    if (this.runs.delete(handle.runId)) this.runs.set(handle.runId, handle);
    this.weigh(handle);
    this.evict();
  }

  /** Only if it is this very handle. */
  remove(handle: RunHandle): void {
    if (this.runs.get(handle.runId) !== handle) return;
    this.runs.delete(handle.runId);
    this.bytes -= handle.weight;
  }

  all(): IterableIterator<RunHandle> {
    return this.runs.values();
  }

  private weigh(handle: RunHandle): void {
    this.bytes -= handle.weight;
    handle.weight = BASE_BYTES + handle.state.historySizeBytes * HEAP_PER_HISTORY_BYTE;
    this.bytes += handle.weight;
  }

  private evict(): void {
    if (this.runs.size <= this.maxRuns && this.bytes <= this.maxBytes) return;
    let looked = 0;
    for (const handle of this.runs.values()) {
      if (this.runs.size <= this.maxRuns && this.bytes <= this.maxBytes) return;
      // Busy ones at the old end: try again at the next touch.
      if (++looked > 64) return;
      if (!handle.dirty) this.remove(handle);
    }
  }
}

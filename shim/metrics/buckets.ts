/** Bucket boundaries of histograms: those of Temporal's core, so that panels of existing dashboards fit. */

const inMs: Record<string, readonly number[]> = {
  workflow_endtoend_latency: [
    100, 500, 1000, 1500, 2000, 5000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000,
    // As there, though ten hours are 36,000,000 ms.
    30_600_000, 86_400_000,
  ],
  workflow_task_execution_latency: [1, 10, 20, 50, 100, 200, 500, 1000],
  workflow_task_replay_latency: [1, 10, 20, 50, 100, 200, 500, 1000],
  activity_execution_latency: [50, 100, 500, 1000, 5000, 10_000, 60_000],
  workflow_task_schedule_to_start_latency: [100, 500, 1000, 5000, 10_000, 100_000, 1_000_000],
  activity_schedule_to_start_latency: [100, 500, 1000, 5000, 10_000, 100_000, 1_000_000],
  // Ours: a commit is a round trip and a flush to disk.
  branchline_commit_latency: [1, 2, 5, 10, 20, 50, 100, 500, 1000, 5000],
  branchline_pool_wait_latency: [1, 2, 5, 10, 20, 50, 100, 500, 1000, 5000],
  branchline_notification_lag: [1, 2, 5, 10, 20, 50, 100, 500, 1000, 5000],
};
const others: readonly number[] = [50, 100, 500, 1000, 2500, 10_000];
const counts: Record<string, readonly number[]> = {
  branchline_commit_batch_size: [1, 2, 5, 10, 20, 50, 100, 200, 500],
};

/**
 * Boundaries of a histogram.
 * @param name with its prefix
 * @param overrides by a part of the name; the first that fits counts, as in Temporal's core
 */
export function bucketsOf(name: string, useSeconds: boolean, overrides: Record<string, number[]>): readonly number[] {
  for (const [part, buckets] of Object.entries(overrides)) if (name.includes(part)) return buckets;
  if (counts[name] !== undefined) return counts[name];
  const buckets = inMs[name.replace(/^temporal_/, '')] ?? others;
  return useSeconds ? buckets.map((ms) => ms / 1000) : buckets;
}

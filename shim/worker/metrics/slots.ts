/** Gauges of a kind of slots; gives what ends them. */
import type { WorkerMetrics } from './sdk-metrics';

export function observeSlots(
  metrics: WorkerMetrics,
  workerType: 'WorkflowWorker' | 'ActivityWorker' | 'LocalActivityWorker',
  limit: number,
  used: () => number,
): (() => void)[] {
  const tags = { worker_type: workerType };
  return [
    metrics.observe('worker_task_slots_available', tags, () => limit - used()),
    metrics.observe('worker_task_slots_used', tags, used),
  ];
}

/** Temporal's metrics of a worker and its connection: names (after the prefix), kinds and descriptions as Temporal's core has them. */
import type { MetricSpec } from '../../metrics/types';

type Entry = Omit<MetricSpec, 'name'>;

const counter = (description: string): Entry => ({ kind: 'counter', valueType: 'int', unit: '', description });
const gauge = (description: string): Entry => ({ kind: 'gauge', valueType: 'int', unit: '', description });
const latency = (description: string): Entry => ({ kind: 'histogram', valueType: 'duration', unit: '', description });

export const workerCatalogue = {
  workflow_completed: counter('Count of successfully completed workflows'),
  workflow_canceled: counter('Count of canceled workflows'),
  workflow_failed: counter('Count of failed workflows'),
  workflow_continue_as_new: counter('Count of continued-as-new workflows'),
  workflow_endtoend_latency: latency('Histogram of total workflow execution latencies'),
  workflow_task_queue_poll_empty: counter('Count of workflow task queue poll timeouts (no new task)'),
  workflow_task_queue_poll_succeed: counter('Count of workflow task queue poll successes'),
  workflow_task_execution_failed: counter('Count of workflow task execution failures'),
  workflow_task_schedule_to_start_latency: latency('Histogram of workflow task schedule-to-start latencies'),
  workflow_task_replay_latency: latency('Histogram of workflow task replay latencies'),
  workflow_task_execution_latency: latency('Histogram of workflow task execution (not replay) latencies'),
  activity_poll_no_task: counter('Count of activity task queue poll timeouts (no new task)'),
  activity_task_received: counter('Count of activity task queue poll successes'),
  activity_execution_failed: counter('Count of activity task execution failures'),
  activity_schedule_to_start_latency: latency('Histogram of activity schedule-to-start latencies'),
  activity_execution_latency: latency('Histogram of activity execution latencies'),
  activity_succeed_endtoend_latency: latency('Histogram of activity execution latencies for successful activities'),
  local_activity_execution_cancelled: counter('Count of local activity executions that were cancelled'),
  local_activity_execution_failed: counter('Count of local activity executions that failed'),
  local_activity_execution_latency: latency('Histogram of local activity execution latencies'),
  local_activity_succeed_endtoend_latency: latency(
    'Histogram of local activity execution latencies for successful local activities',
  ),
  local_activity_total: counter('Count of local activities executed'),
  worker_start: counter('Count of the number of initialized workers'),
  num_pollers: gauge('Current number of active pollers per queue type'),
  worker_task_slots_available: gauge('Current number of available slots per task type'),
  worker_task_slots_used: gauge('Current number of used slots per task type'),
  sticky_cache_hit: counter('Count of times the workflow cache was used for a new workflow task'),
  sticky_cache_miss: counter('Count of times the workflow cache was missing a workflow for a sticky task'),
  sticky_cache_size: gauge('Current number of cached workflows'),
  sticky_cache_total_forced_eviction: counter('Count of evictions of cached workflows'),
} as const;

export const requestCatalogue = {
  request: counter('Count of client request successes by rpc name'),
  request_failure: counter('Count of client request failures by rpc name'),
  request_latency: latency('Histogram of client request latencies'),
  long_request: counter('Count of long-poll request successes by rpc name'),
  long_request_failure: counter('Count of long-poll request failures by rpc name'),
  long_request_latency: latency('Histogram of client long-poll request latencies'),
} as const;

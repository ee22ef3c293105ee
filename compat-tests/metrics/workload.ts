/** The same work for Temporal's worker and ours, and what their endpoints show of it. */
import type { Client } from '@temporalio/client';
import { eventually } from './eventually';

/** What of a connection is used. */
interface NamespaceReader {
  workflowService: { describeNamespace(request: { namespace: string }): Promise<unknown> };
}

/** A cache of so many runs makes some of the workload's leave it. */
export const cachedRuns = 3;
const waiters = 5;

/** Runs the workload on a worker that is running. */
export async function work(client: Client, connection: NamespaceReader, taskQueue: string): Promise<void> {
  const prefix = `${taskQueue}-`;
  const options = (id: string, args: unknown[] = []): { taskQueue: string; workflowId: string; args: unknown[] } => ({
    taskQueue,
    workflowId: prefix + id,
    args,
  });
  await client.workflow.execute('working', options('working'));
  await client.workflow.execute('stumbling', options('stumbling'));
  await client.workflow.execute('failing', options('failing')).catch(() => undefined);
  await client.workflow.execute('continuing', options('continuing', [true]));
  const cancelled = await client.workflow.start('cancelled', options('cancelled'));
  await firstTaskDone(client, cancelled.workflowId);
  await cancelled.cancel();
  await cancelled.result().catch(() => undefined);
  for (let i = 0; i < waiters; i++) {
    const handle = await client.workflow.start('waiting', options(`waiting-${i}`));
    await firstTaskDone(client, handle.workflowId);
  }
  for (let i = 0; i < waiters; i++) {
    const handle = client.workflow.getHandle(`${prefix}waiting-${i}`);
    // A query brings a run back with its whole history; one that was only signalled is missed.
    if (i % 2 === 0) await handle.query('ping');
    await handle.signal('go');
    await handle.result();
  }
  await connection.workflowService.describeNamespace({ namespace: 'not-there' }).catch(() => undefined);
}

async function firstTaskDone(client: Client, workflowId: string): Promise<void> {
  await eventually(async () => {
    const { historyLength } = await client.workflow.getHandle(workflowId).describe();
    return historyLength >= 4;
  });
}

/** A metric as an endpoint shows it. */
export interface Shown {
  type: string;
  help: string;
  /** Sets of label names, each sorted and joined by commas; without `le`. */
  labels: string[];
  /** Bounds of a histogram's buckets. */
  buckets: string[];
}

/** Reads the text exposition format: as much of it as the two endpoints write. */
export function readExposition(text: string): Map<string, Shown> {
  const metrics = new Map<string, Shown>();
  const sets = new Map<string, Set<string>>();
  for (const line of text.split('\n')) {
    const [, comment, name, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (name !== undefined) {
      const shown = metrics.get(name) ?? { type: '', help: '', labels: [], buckets: [] };
      metrics.set(name, shown);
      if (comment === 'HELP') shown.help = rest!;
      else shown.type = rest!;
      continue;
    }
    const [, series, labels = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    if (series === undefined) continue;
    const family = metrics.has(series) ? series : series.replace(/_(bucket|sum|count)$/, '');
    const shown = metrics.get(family)!;
    const bound = /(?:^|,)le="([^"]*)"/.exec(labels)?.[1];
    if (bound !== undefined && !shown.buckets.includes(bound)) shown.buckets.push(bound);
    const names = [...labels.matchAll(/(\w+)="/g)].map(([, label]) => label!).filter((label) => label !== 'le');
    const known = sets.get(family) ?? new Set();
    sets.set(family, known.add(names.sort().join(',')));
  }
  for (const [name, known] of sets) metrics.get(name)!.labels = [...known].sort();
  return metrics;
}

/** Values of a counter or gauge by its labels, the task queue left out: it is another for each worker. */
export function valuesOf(text: string, name: string): Record<string, number> {
  const values: Record<string, number> = {};
  for (const [, labels = '', value] of text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`, 'gm'))) {
    values[labels.replace(/,?task_?[qQ]ueue="[^"]*"/, '')] = Number(value);
  }
  return values;
}

/** Those whose values the workload alone decides. */
export const decided = [
  'temporal_workflow_completed',
  'temporal_workflow_canceled',
  'temporal_workflow_failed',
  'temporal_workflow_continue_as_new',
  'temporal_workflow_task_execution_failed',
  'temporal_workflow_endtoend_latency_count',
  'temporal_activity_task_received',
  'temporal_activity_execution_failed',
  'temporal_activity_execution_latency_count',
  'temporal_activity_succeed_endtoend_latency_count',
  'temporal_local_activity_total',
  'temporal_local_activity_execution_failed',
  'temporal_local_activity_execution_latency_count',
  'temporal_worker_start',
  'temporal_worker_task_slots_used',
  'temporal_request_failure',
  'activity_counter',
  'workflow_counter',
  'workflow_gauge',
  'workflow_histogram_count',
];

/** Shown by Temporal's worker only: it asks a server what it can. */
export const notOurs = new Map([
  ['temporal_request', 'operation,service_name'],
  ['temporal_request_latency', 'operation,service_name'],
]);

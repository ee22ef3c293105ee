/**
 * Every history that a test wrote is looked at: its structure after the test (history-rules.ts), and those of workers with
 * workflow code again, all together, by Temporal's own replayer when the run is over (replay-oracle.ts).
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporal } from '@temporalio/proto';
import { inject } from 'vitest';
import { eventsFromJson } from '../../shim/store/event-json';
import type { WorkerOptions } from '../../shim/worker/worker-options';
import { brokenRules } from './history-rules';
import type { KeptHistory, WorkflowCode } from './replay-oracle';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where histories wait for the replay. */
    historiesDir: string;
  }
}

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
const Type = temporal.api.enums.v1.EventType;
const { History } = temporal.api.history.v1;

/** Schemas whose histories were written by a service, with the code of each task queue's worker. */
const watched = new Map<string, Map<string, WorkflowCode>>();
const sources = new Map<string, string>();

/** The histories in this schema must keep the rules. */
export function watchHistories({ schema }: { schema: string }): void {
  if (!watched.has(schema)) watched.set(schema, new Map());
}

/** A bundle made of that module: workers that run it can be replayed. */
export function madeFrom(workflowsPath: string, bundle: { code: string }): { code: string } {
  sources.set(bundle.code, workflowsPath);
  return bundle;
}

/** What this worker runs is replayed with its code. Codecs, which are no modules, cannot be told to the replayer. */
export function watchWorker(database: { schema: string }, options: WorkerOptions): void {
  watchHistories(database);
  const { taskQueue, workflowBundle, interceptors, dataConverter, workflowFailureErrorTypes } = options;
  const code = workflowBundle !== undefined && 'code' in workflowBundle ? workflowBundle.code : '';
  const workflowsPath = options.workflowBundle === undefined ? options.workflowsPath : sources.get(code);
  if (workflowsPath === undefined || (dataConverter?.payloadCodecs?.length ?? 0) > 0) return;
  watched.get(database.schema)?.set(taskQueue, {
    workflowsPath,
    workflowInterceptorModules: interceptors?.workflowModules ?? [],
    payloadConverterPath: dataConverter?.payloadConverterPath,
    failureConverterPath: dataConverter?.failureConverterPath,
    workflowFailureErrorTypes,
  });
}

interface Row {
  run_id: string;
  workflow_id: string;
  events: string;
}

/** Reads what a test wrote before its schema goes. Throws for histories that break the rules. */
export async function collectHistories(schema: string, query: (text: string) => Promise<Row[]>): Promise<void> {
  const codes = watched.get(schema);
  if (codes === undefined) return;
  watched.delete(schema);
  const rows = await query(
    `SELECT h.run_id, e.workflow_id, h.events::text AS events
     FROM "${schema}".history h JOIN "${schema}".executions e USING (run_id) ORDER BY h.run_id, h.first_event_id`,
  );
  const histories = new Map<string, { workflowId: string; events: HistoryEvent[] }>();
  for (const row of rows) {
    const history = histories.get(row.run_id) ?? { workflowId: row.workflow_id, events: [] };
    for (const event of eventsFromJson(row.events)) history.events.push(event);
    histories.set(row.run_id, history);
  }
  for (const [runId, { workflowId, events }] of histories) {
    const broken = brokenRules(events);
    if (broken.length > 0)
      throw new Error(`The history of ${workflowId} (${runId}) breaks rules:\n${broken.join('\n')}`);
    const started = events[0]?.workflowExecutionStartedEventAttributes;
    const code = codes.get(started?.taskQueue?.name ?? '');
    if (code === undefined || endsInFailedTask(events)) continue;
    const kept: KeptHistory = {
      code,
      workflowId,
      history: Buffer.from(History.encode(History.fromObject({ events })).finish()).toString('base64'),
    };
    appendFileSync(join(inject('historiesDir'), `${process.pid}.jsonl`), `${JSON.stringify(kept)}\n`);
  }
}

/** Code that failed its last task fails it again when replayed, on Temporal too. */
function endsInFailedTask(events: HistoryEvent[]): boolean {
  const types = events.map(({ eventType }) => eventType);
  return (
    types.lastIndexOf(Type.EVENT_TYPE_WORKFLOW_TASK_FAILED) > types.lastIndexOf(Type.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
  );
}

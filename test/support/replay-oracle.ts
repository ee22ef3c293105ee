/** Temporal's own worker judges the histories that the tests wrote: one bundle per module of workflows, all histories in one go. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporal } from '@temporalio/proto';
import type { WorkerOptions } from '../../shim/worker/worker-options';

/** What a worker's workflow code was made of. */
export interface WorkflowCode {
  workflowsPath: string;
  workflowInterceptorModules: string[];
  payloadConverterPath?: string;
  failureConverterPath?: string;
  workflowFailureErrorTypes?: WorkerOptions['workflowFailureErrorTypes'];
}

export interface KeptHistory {
  code: WorkflowCode;
  workflowId: string;
  /** base64 of a temporal.api.history.v1.History. */
  history: string;
}

/** Replays what is kept in the directory. @throws Error that lists the histories which were refused */
export async function replayKept(directory: string): Promise<void> {
  const kept = readdirSync(directory).flatMap((file) =>
    readFileSync(join(directory, file), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as KeptHistory),
  );
  const groups = new Map<string, KeptHistory[]>();
  for (const one of kept) {
    const key = JSON.stringify(one.code);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  if (groups.size === 0) return;
  // Loads the native library: only when there is something to judge.
  const { bundleWorkflowCode, DefaultLogger, Runtime, Worker } = await import('@temporalio/worker');
  const logger = new DefaultLogger('ERROR', () => undefined);
  Runtime.install({ logger, shutdownSignals: [] });
  const began = Date.now();
  const bundles = new Map<string, Promise<{ code: string }>>();
  const refused: string[] = [];
  for (const histories of groups.values()) {
    const { workflowFailureErrorTypes, ...modules } = histories[0]!.code;
    if (!existsSync(modules.workflowsPath)) continue;
    const key = JSON.stringify(modules);
    if (!bundles.has(key)) bundles.set(key, bundleWorkflowCode({ logger, ...modules }));
    const { payloadConverterPath, failureConverterPath } = modules;
    const replay = Worker.runReplayHistories(
      {
        workflowBundle: await bundles.get(key)!,
        dataConverter: { payloadConverterPath, failureConverterPath },
        workflowFailureErrorTypes: workflowFailureErrorTypes as never,
      },
      histories.map(({ workflowId, history }) => ({
        workflowId,
        history: temporal.api.history.v1.History.decode(Buffer.from(history, 'base64')),
      })),
    );
    for await (const { workflowId, error } of replay) {
      if (error !== undefined) refused.push(`${workflowId}: ${error.message}`);
    }
  }
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  console.log(`Temporal's replayer: ${kept.length} histories, ${refused.length} refused, ${seconds} s`);
  if (refused.length > 0) throw new Error(`Temporal's replayer refused histories:\n${refused.join('\n')}`);
}

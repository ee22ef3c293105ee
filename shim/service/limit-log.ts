/** Log lines for what goes over a warning limit: the server's own words and tags. */
import { LRUCache } from 'lru-cache';
import type { LimitWarning, RunState } from './engine/types';

/** Takes a message and tags; as `Logger.warn` of Temporal's SDK. */
export type Warn = (message: string, tags: Record<string, unknown>) => void;

/** A line of JSON on stderr, as Temporal's server writes it. */
export const warnOnStderr: Warn = (msg, tags) => {
  process.stderr.write(`${JSON.stringify({ level: 'warn', ts: new Date().toISOString(), msg, ...tags })}\n`);
};

/** The same of one run is not said again for this long, ms. */
const QUIET_MS = 60_000;

export class LimitLog {
  private readonly said = new LRUCache<string, true>({ max: 1000, ttl: QUIET_MS });

  constructor(private readonly warn: Warn) {}

  report(state: RunState, warnings: LimitWarning[]): void {
    for (const { message, size, operation } of warnings) {
      const key = `${state.runId} ${message} ${operation ?? ''}`;
      if (this.said.has(key)) continue;
      this.said.set(key, true);
      const sizeTag =
        operation !== undefined ? 'wf-size' : message.startsWith('history size') ? 'wf-history-size' : 'wf-event-count';
      this.warn(message, {
        'wf-namespace': state.namespace,
        'wf-id': state.workflowId,
        'wf-run-id': state.runId,
        [sizeTag]: size,
        ...(operation === undefined ? {} : { 'blob-size-violation-operation': operation }),
      });
    }
  }
}

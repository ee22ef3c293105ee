/** Heartbeats in batches: the newest of each activity, one statement in flight at a time. */
import type { Payloads } from '../service/engine/types';
import { int4Array, jsonArray, uuidArray } from './binary-arrays';
import type { Clock } from './clock';
import type { Connections } from './connections';
import { toJson } from './json';
import type { Statement } from './statement';

interface Heartbeat {
  runId: string;
  scheduledEventId: number;
  attempt: number;
  details: string | null;
}

export class HeartbeatWriter {
  private readonly waiting = new Map<string, Heartbeat>();
  private next: Promise<void> | undefined;
  private current: Promise<void> = Promise.resolve();

  constructor(
    private readonly connections: Connections,
    private readonly clock: Clock,
    private readonly statement: Statement,
  ) {}

  /** Resolves once this heartbeat (or a later one of the same activity) is stored. */
  record(runId: string, scheduledEventId: number, attempt: number, details: Payloads | null): Promise<void> {
    const heartbeat = { runId, scheduledEventId, attempt, details: details === null ? null : toJson(details) };
    this.waiting.set(`${runId}:${scheduledEventId}`, heartbeat);
    this.next ??= this.current
      .catch(() => {})
      .then(() => {
        this.next = undefined;
        return (this.current = this.write());
      });
    return this.next;
  }

  private async write(): Promise<void> {
    const batch = [...this.waiting.values()].sort((a, b) =>
      a.runId === b.runId ? a.scheduledEventId - b.scheduledEventId : a.runId < b.runId ? -1 : 1,
    );
    this.waiting.clear();
    await this.connections.query(this.statement, [
      uuidArray(batch.map((heartbeat) => heartbeat.runId)),
      int4Array(batch.map((heartbeat) => heartbeat.scheduledEventId)),
      int4Array(batch.map((heartbeat) => heartbeat.attempt)),
      jsonArray(batch.map(({ details }) => (details === null ? null : Buffer.from(details)))),
      this.clock.skippedMs,
    ]);
  }
}

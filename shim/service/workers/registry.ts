/**
 * Workers as they describe themselves: the last heartbeat of each, in the memory of the process that it reached. Workers that send none
 * (those inside application processes) are known by their polls, in every process.
 */
import { LRUCache } from 'lru-cache';
import { temporal } from '@temporalio/proto';
import { fromMs } from '../../common/proto-values';
import { splitName } from '../matching/physical-queue';
import type { PollerInfo, ProcessInfo, Store } from '../../store/types';

export type Heartbeat = temporal.api.worker.v1.IWorkerHeartbeat;

const Status = temporal.api.enums.v1.WorkerStatus;
const MAX_WORKERS = 10_000;
/** A worker that has not been heard of for longer is forgotten, ms (Temporal keeps entries for a day). */
const KEPT_MS = 24 * 3_600_000;

export class Workers {
  private readonly heartbeats = new LRUCache<string, { namespaceId: number; heartbeat: Heartbeat }>({
    max: MAX_WORKERS,
    ttl: KEPT_MS,
  });

  constructor(private readonly store: Pick<Store, 'pollers' | 'liveProcesses'>) {}

  record(namespaceId: number, heartbeat: Heartbeat): void {
    if (!heartbeat.workerInstanceKey) return;
    this.heartbeats.set(`${namespaceId}/${heartbeat.workerInstanceKey}`, { namespaceId, heartbeat });
  }

  async list(namespaceId: number): Promise<Heartbeat[]> {
    const told = [...this.heartbeats.values()].filter((each) => each.namespaceId === namespaceId);
    const heartbeats = told.map(({ heartbeat }) => heartbeat);
    const known = new Set(heartbeats.map(({ workerIdentity }) => workerIdentity));
    const pollers = await this.store.pollers(namespaceId);
    const silent = pollers.filter(
      ({ identity, sticky, lastPollMs }) => sticky !== true && lastPollMs > 0 && !known.has(identity),
    );
    return [...heartbeats, ...polling(silent, this.store.liveProcesses())].sort(byKey);
  }
}

const byKey = (a: Heartbeat, b: Heartbeat): number =>
  (a.workerInstanceKey ?? '') < (b.workerInstanceKey ?? '') ? -1 : 1;

/** One worker per process, identity and queue, with what a poll tells of it. */
function polling(pollers: PollerInfo[], processes: ProcessInfo[]): Heartbeat[] {
  const workers = new Map<string, Heartbeat & { at: number }>();
  for (const { processId, queue, identity, lastPollMs, kind } of pollers) {
    const { taskQueue, version } = splitName(queue);
    const workerInstanceKey = `${processId}/${queue}/${identity}`;
    const at = Math.max(workers.get(workerInstanceKey)?.at ?? 0, lastPollMs);
    const process = processes.find(({ id }) => id === processId)?.identity ?? '';
    const [, pid = '', host = process] = /^(\d+)@(.+)$/.exec(process) ?? [];
    workers.set(workerInstanceKey, {
      ...workers.get(workerInstanceKey),
      at,
      workerInstanceKey,
      workerIdentity: identity,
      taskQueue,
      ...(version === null ? {} : { deploymentVersion: version }),
      hostInfo: { hostName: host, processId: pid },
      status: Status.WORKER_STATUS_RUNNING,
      heartbeatTime: fromMs(at),
      [kind === 'activity' ? 'activityPollerInfo' : 'workflowPollerInfo']: {
        lastSuccessfulPollTime: fromMs(lastPollMs),
      },
    });
  }
  return [...workers.values()].map(({ at: _, ...heartbeat }) => heartbeat);
}

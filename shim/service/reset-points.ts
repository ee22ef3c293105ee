/** The points of a run that clients reset to by build id: the first workflow task that workers of each build completed. */
import { LRUCache } from 'lru-cache';
import type { temporal } from '@temporalio/proto';
import { fromMs, long } from '../common/proto-values';
import type { FirstTask, Store } from '../store/types';

type ResetPoints = temporal.api.workflow.v1.IResetPoints;

/** Runs whose points are remembered: describe is often asked again, and a long history is not to be read each time. */
const REMEMBERED_RUNS = 2000;

interface Known {
  lastEventId: number;
  tasks: FirstTask[];
}

export class RunResetPoints {
  private readonly known = new LRUCache<string, Known>({ max: REMEMBERED_RUNS });

  constructor(private readonly store: Pick<Store, 'firstTasksByBuildId'>) {}

  /** `lastEventId`: how long its history is now, at least. */
  async of(runId: string, lastEventId: number): Promise<ResetPoints> {
    const known = this.known.get(runId) ?? { lastEventId: 0, tasks: [] };
    if (known.lastEventId < lastEventId) {
      for (const task of await this.store.firstTasksByBuildId(runId, known.lastEventId)) {
        const { buildId, binaryChecksum } = task;
        const there = known.tasks.some((each) => each.buildId === buildId && each.binaryChecksum === binaryChecksum);
        if (!there) known.tasks.push(task);
      }
      known.lastEventId = lastEventId;
      known.tasks.sort((a, b) => a.eventId - b.eventId);
      this.known.set(runId, known);
    }
    return {
      points: known.tasks.map(({ buildId, binaryChecksum, eventId, atMs }) => ({
        buildId,
        binaryChecksum,
        runId,
        firstWorkflowTaskCompletedId: long(eventId),
        createTime: fromMs(atMs),
        resettable: true,
      })),
    };
  }
}

/**
 * The points that clients reset to by build id: the first workflow task that workers of each build completed, in the run itself or in the
 * runs that it continues. Temporal hands them on in the Started event; here they are found in the histories when somebody asks.
 */
import { LRUCache } from 'lru-cache';
import type { temporal } from '@temporalio/proto';
import { fromMs, long, ms } from '../common/proto-values';
import type { FirstTask, Store } from '../store/types';
import type { HistoryEvent } from './engine/types';

type ResetPoints = temporal.api.workflow.v1.IResetPoints;

/** Runs whose points are remembered: describe is often asked again, and a long history is not to be read each time. */
const REMEMBERED_RUNS = 2000;
/** How many earlier runs of a chain are looked through, newest first. */
const MAX_EARLIER_RUNS = 200;
/** Temporal: history.maxAutoResetPoints. */
const MAX_POINTS = 20;

interface Known {
  lastEventId: number;
  tasks: FirstTask[];
}

interface Point extends FirstTask {
  runId: string;
  /** When the run that it lies in is no longer kept; 0 = it is open. */
  expiresAtMs: number;
}

export interface RunToPoint {
  runId: string;
  started: HistoryEvent;
  /** How long its history is now, at least. */
  lastEventId: number;
  /** Of its namespace. */
  retentionMs: number;
}

export class RunResetPoints {
  private readonly known = new LRUCache<string, Known>({ max: REMEMBERED_RUNS });
  /** Of closed runs, with those of the runs before them. */
  private readonly handedOn = new LRUCache<string, Point[]>({ max: REMEMBERED_RUNS });

  constructor(private readonly store: Pick<Store, 'firstTasksByBuildId' | 'readHistory'>) {}

  async of({ runId, started, lastEventId, retentionMs }: RunToPoint): Promise<ResetPoints> {
    const before = await this.before(started, retentionMs);
    const points = joined(before, await this.tasksOf(runId, lastEventId), runId);
    return {
      points: points.map((point) => ({
        buildId: point.buildId,
        binaryChecksum: point.binaryChecksum,
        runId: point.runId,
        firstWorkflowTaskCompletedId: long(point.eventId),
        createTime: fromMs(point.atMs),
        ...(point.expiresAtMs > 0 ? { expireTime: fromMs(point.expiresAtMs) } : {}),
        resettable: true,
      })),
    };
  }

  /** What a run that began with this event takes over from those before it. */
  private async before(started: HistoryEvent, retentionMs: number): Promise<Point[]> {
    // From the newest to the oldest, until one is known or gone.
    const chain: { runId: string; successorAtMs: number }[] = [];
    let points: Point[] = [];
    for (let event: HistoryEvent | undefined = started; event !== undefined && chain.length < MAX_EARLIER_RUNS;) {
      const runId = event.workflowExecutionStartedEventAttributes?.continuedExecutionRunId;
      if (!runId) break;
      const successorAtMs = ms(event.eventTime);
      const kept = this.handedOn.get(runId);
      if (kept !== undefined) {
        points = rolledOver(kept, runId, successorAtMs, retentionMs);
        break;
      }
      chain.push({ runId, successorAtMs });
      [event] = await this.store.readHistory(runId, 1, 1);
    }
    for (const { runId, successorAtMs } of chain.reverse()) {
      const all = joined(points, await this.store.firstTasksByBuildId(runId, 0), runId);
      this.handedOn.set(runId, all);
      points = rolledOver(all, runId, successorAtMs, retentionMs);
    }
    return points;
  }

  private async tasksOf(runId: string, lastEventId: number): Promise<FirstTask[]> {
    const known = this.known.get(runId) ?? { lastEventId: 0, tasks: [] };
    if (known.lastEventId < lastEventId) {
      for (const task of await this.store.firstTasksByBuildId(runId, known.lastEventId)) {
        if (!known.tasks.some((each) => sameBuild(each, task))) known.tasks.push(task);
      }
      known.lastEventId = lastEventId;
      this.known.set(runId, known);
    }
    return known.tasks;
  }
}

const sameBuild = (one: FirstTask, other: FirstTask): boolean =>
  one.buildId === other.buildId && one.binaryChecksum === other.binaryChecksum;

/** A build keeps its oldest point. */
function joined(points: Point[], tasks: FirstTask[], runId: string): Point[] {
  const own = tasks
    .filter((task) => !points.some((point) => sameBuild(point, task)))
    .sort((a, b) => a.eventId - b.eventId);
  return [...points, ...own.map((task) => ({ ...task, runId, expiresAtMs: 0 }))].slice(-MAX_POINTS);
}

/** The points of a run that has closed, as its successor has them (Temporal: rolloverAutoResetPointsWithExpiringTime). */
function rolledOver(points: Point[], closedRunId: string, successorAtMs: number, retentionMs: number): Point[] {
  return points
    .filter(({ expiresAtMs }) => expiresAtMs === 0 || expiresAtMs >= successorAtMs)
    .map((point) => (point.runId === closedRunId ? { ...point, expiresAtMs: successorAtMs + retentionMs } : point));
}

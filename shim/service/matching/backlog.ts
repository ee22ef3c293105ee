/**
 * Scheduled tasks that wait in this process for a poller, in Temporal's order: by priority level; within a level each fairness key gets a
 * share by its weight; within a key the first one in is the first one out.
 *
 * The shares are kept as Temporal keeps them (service/matching/fair_task_writer.go): each key has a counter, the pass of its last task; a new
 * task gets the pass after it (1000 / weight further), or that of the level if this is ahead; the lowest pass goes first.
 */
import type { QueuePlace } from '../engine/priority';
import { PRIORITY_LEVELS } from '../engine/priority';
import { Fifo } from './fifo';

/** A scheduled task that waits in this process for a poller. */
export interface BacklogEntry {
  runId: string;
  scheduledEventId: number;
  attempt: number;
  /** Its row, when it came from the store. */
  rowId: string | null;
  place: QueuePlace;
  /** Epoch ms. */
  addedAtMs: number;
  /** It has one of the places that its key's limit on concurrency allows (limits.ts). */
  admitted: boolean;
}

/** How far each fairness key is ahead of its level, for those who pick rows by the same order. */
export interface FairnessPasses {
  levels: number[];
  keys: string[];
  passes: number[];
}

/** May the first task of that key start now? */
export type Gate = (fairnessKey: string, first: BacklogEntry) => boolean;

const STRIDE = 1000;
/** Keys of a level with nothing waiting are remembered up to this many. */
const MAX_IDLE_LANES = 1000;

interface Queued {
  entry: BacklogEntry;
  pass: number;
  sequence: number;
}

/** The tasks of one fairness key on one level. */
class Lane {
  readonly entries = new Fifo<Queued>();
  /** Pass of the next task, if the level has not overtaken it. */
  nextPass = 0;
}

class Level {
  readonly lanes = new Map<string, Lane>();
  /** Pass of the last task that went. */
  base = 0;
}

export class Backlog {
  private readonly levels = Array.from({ length: PRIORITY_LEVELS }, () => new Level());
  private sequence = 0;
  private count = 0;
  /** Another weight than the task's own, by fairness key. */
  weights: Record<string, number> = {};

  get length(): number {
    return this.count;
  }

  push(entry: BacklogEntry): void {
    const { level, fairnessKey } = entry.place;
    const { lanes, base } = this.levels[level - 1]!;
    let lane = lanes.get(fairnessKey);
    if (lane === undefined) lanes.set(fairnessKey, (lane = new Lane()));
    const pass = Math.max(lane.nextPass, base);
    lane.nextPass = pass + STRIDE / (this.weights[fairnessKey] ?? entry.place.weight);
    lane.entries.push({ entry, pass, sequence: ++this.sequence });
    this.count++;
  }

  /** It did not start after all: the next one again. */
  putBack(entry: BacklogEntry): void {
    const level = this.levels[entry.place.level - 1]!;
    const { lanes, base } = level;
    let lane = lanes.get(entry.place.fairnessKey);
    if (lane === undefined) lanes.set(entry.place.fairnessKey, (lane = new Lane()));
    lane.entries.unshift({ entry, pass: base, sequence: 0 });
    this.count++;
  }

  /** The task that goes next, out of the list; with a gate, of the keys that it lets through. */
  take(gate?: Gate): BacklogEntry | undefined {
    if (this.count === 0) return undefined;
    for (const level of this.levels) {
      const lane = firstLane(level, gate);
      if (lane === undefined) continue;
      const { entry, pass } = lane.entries.shift()!;
      if (pass > level.base) level.base = pass;
      this.count--;
      if (level.lanes.size > MAX_IDLE_LANES) forgetIdle(level);
      return entry;
    }
    return undefined;
  }

  /** By priority: how many wait, and epoch ms of the oldest. */
  waiting(): [priority: number, count: number, oldestMs: number][] {
    const levels: [number, number, number][] = [];
    for (let i = 0; i < PRIORITY_LEVELS; i++) {
      let count = 0;
      let oldest = Infinity;
      for (const lane of this.levels[i]!.lanes.values()) {
        for (const { entry } of lane.entries) {
          count++;
          oldest = Math.min(oldest, entry.addedAtMs);
        }
      }
      if (count > 0) levels.push([i + 1, count, oldest]);
    }
    return levels;
  }

  /** Keys of the tasks that wait. */
  waitingKeys(): string[] {
    const keys = new Set<string>();
    for (const { lanes } of this.levels) for (const [key, lane] of lanes) if (lane.entries.length > 0) keys.add(key);
    return [...keys];
  }

  passes(): FairnessPasses {
    const ahead: FairnessPasses = { levels: [], keys: [], passes: [] };
    for (let i = 0; i < PRIORITY_LEVELS; i++) {
      const { lanes, base } = this.levels[i]!;
      for (const [key, { nextPass }] of lanes) {
        if (nextPass <= base) continue;
        ahead.levels.push(i + 1);
        ahead.keys.push(key);
        ahead.passes.push(nextPass - base);
      }
    }
    return ahead;
  }
}

function firstLane(level: Level, gate: Gate | undefined): Lane | undefined {
  let first: Lane | undefined;
  let head: Queued | undefined;
  for (const [key, lane] of level.lanes) {
    const next = lane.entries.peek();
    if (next === undefined) {
      if (lane.nextPass <= level.base) level.lanes.delete(key);
      continue;
    }
    if (head !== undefined && (next.pass > head.pass || (next.pass === head.pass && next.sequence > head.sequence))) {
      continue;
    }
    if (gate !== undefined && !gate(key, next.entry)) continue;
    first = lane;
    head = next;
  }
  return first;
}

function forgetIdle(level: Level): void {
  for (const [key, lane] of level.lanes) if (lane.entries.length === 0) level.lanes.delete(key);
}

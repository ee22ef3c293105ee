/** The rows that a decision leaves in `schedule_slots`. Long rows of slots with nothing to tell apart become one. */
import type { Slot } from './spec';
import type { BufferedStart, ScheduleState, SlotReason, SlotRecord } from './types';

/** A row stands for at most this many slots by number; beyond it says "at least". */
export const MAX_COUNT = 1000;

export class SlotLog {
  readonly records: SlotRecord[] = [];
  private last: SlotRecord | null = null;

  constructor(private readonly state: ScheduleState) {}

  /** A slot that never got as far as waiting. */
  passed({ nominalMs }: Slot, reason: SlotReason, manual: boolean): void {
    const { last } = this;
    if (last !== null && last.reason === reason && last.manual === manual) {
      last.count = Math.min(last.count + 1, MAX_COUNT);
      return;
    }
    this.last = this.add({ slot: ++this.state.slotCount, nominalMs, manual }, reason);
  }

  /** What became of one that has its number. */
  outcome(start: BufferedStart, reason: SlotReason, more: Partial<SlotRecord> = {}): void {
    Object.assign(this.add(start, reason), more);
  }

  private add(
    { slot, nominalMs, manual }: Pick<SlotRecord, 'slot' | 'nominalMs' | 'manual'>,
    reason: SlotReason,
  ): SlotRecord {
    this.last = null;
    const record: SlotRecord = {
      slot,
      nominalMs,
      count: 1,
      manual,
      reason,
      workflowId: null,
      firstRunId: null,
      message: null,
    };
    // One decision may say two things of a slot: the later one counts.
    const before = this.records.findIndex((known) => known.slot === slot);
    if (before >= 0) this.records[before] = record;
    else this.records.push(record);
    return record;
  }
}

/**
 * The effects journal: which attempts of activities a worker has run, kept outside of the database, so that a restore does not take it back. One line of JSON each time an attempt
 * starts (durable before its code runs) and when it ends (written, not waited for). Each line begins with a line feed, which parts it from what a crash may have cut.
 */

export type JournalLine = JournalStart | JournalEnd;

export interface JournalStart {
  event: 'start';
  /** By the worker's clock, epoch ms. */
  at: number;
  namespace: string;
  workflowId: string;
  runId: string;
  workflowType: string;
  activityId: string;
  activityType: string;
  attempt: number;
  local: boolean;
}

export interface JournalEnd {
  event: 'end';
  at: number;
  runId: string;
  activityId: string;
  attempt: number;
  /** `committed`: by its own transaction in the database, which a restore takes back with everything else. */
  outcome: 'completed' | 'committed' | 'failed' | 'cancelled' | 'asynchronous';
}

export interface JournaledAttempt extends Omit<JournalStart, 'event'> {
  /** Null: no end was written. */
  outcome: JournalEnd['outcome'] | null;
}

/** Gathers attempts from the lines of any number of journals, in any order of files. */
export class JournalReader {
  private readonly attempts = new Map<string, JournaledAttempt>();
  /** Ends whose start was not wanted, or stands in a file that is read later. */
  private readonly ends = new Map<string, JournalEnd['outcome']>();
  /** Lines that are none: a crash may have cut the last one of a file. */
  unreadable = 0;

  /** `wanted`: whether an attempt can matter. */
  constructor(private readonly wanted: (start: JournalStart) => boolean) {}

  add(line: string): void {
    if (line === '') return;
    let entry: JournalLine;
    try {
      entry = JSON.parse(line) as JournalLine;
    } catch {
      this.unreadable += 1;
      return;
    }
    const key = `${entry.runId}/${entry.activityId}/${entry.attempt}`;
    if (entry.event === 'end') {
      const attempt = this.attempts.get(key);
      if (attempt === undefined) this.ends.set(key, entry.outcome);
      else attempt.outcome = entry.outcome;
      return;
    }
    if (!this.wanted(entry)) return;
    const { event: _, ...start } = entry;
    this.attempts.set(key, { ...start, outcome: this.ends.get(key) ?? null });
  }

  result(): JournaledAttempt[] {
    return [...this.attempts.values()].sort((a, b) => a.at - b.at);
  }
}

/**
 * Keeps the effects journal of a worker (service/restore/journal.ts): appends to a file that the database does not hold. A start is there before the activity's code runs, or the
 * attempt fails; starts at one time share a write. Ends are written with the next lines and waited for by nobody.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { BranchlineError } from '../../common/branchline-error';
import type { JournalEnd, JournalLine } from '../../service/restore/journal';
import type { ActivityResult } from './activity-executor';
import type { ActivityStart } from './activity-start';

export interface EffectsJournalOptions {
  /** Appended to, and made if it is not there (its folder must be). Workers and processes of one machine may share it. */
  file: string;
  /**
   * True: a start is on the disk (fdatasync) before the activity's code runs. False: it is with the operating system, and the machine's crash may lose it. Default true.
   */
  sync?: boolean;
}

interface Waiting {
  resolve(): void;
  reject(error: Error): void;
}

const outcomes: Record<ActivityResult['status'], JournalEnd['outcome']> = {
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
  willCompleteAsync: 'asynchronous',
  completedAlready: 'committed',
};

export class EffectsJournal {
  private lines: string[] = [];
  private waiting: Waiting[] = [];
  private writing: Promise<void> | undefined;

  private constructor(
    private readonly handle: FileHandle,
    private readonly options: EffectsJournalOptions,
  ) {}

  /** @throws BranchlineError BRANCHLINE_EFFECTS_JOURNAL when the file cannot be opened */
  static async open(options: EffectsJournalOptions): Promise<EffectsJournal> {
    try {
      return new EffectsJournal(await open(options.file, 'a', 0o600), options);
    } catch (error) {
      throw failure(options.file, error);
    }
  }

  /** Rejects with BRANCHLINE_EFFECTS_JOURNAL when it could not be written: the attempt must not run then. */
  started(start: ActivityStart, namespace: string): Promise<void> {
    const { workflow, activityId, activityType, attempt, isLocal } = start;
    this.add({
      event: 'start',
      at: Date.now(),
      namespace: workflow?.namespace ?? namespace,
      workflowId: workflow?.workflowId ?? '',
      runId: workflow?.runId ?? '',
      workflowType: workflow?.type ?? '',
      ...{ activityId, activityType, attempt, local: isLocal },
    });
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  ended({ workflow, activityId, attempt }: ActivityStart, result: ActivityResult): void {
    const inTransaction = result.status === 'completed' && result.inTransaction === true;
    const outcome = inTransaction ? 'committed' : outcomes[result.status];
    this.add({ event: 'end', at: Date.now(), runId: workflow?.runId ?? '', activityId, attempt, outcome });
  }

  /** Writes what there is, then closes the file. */
  async close(): Promise<void> {
    while (this.writing !== undefined) await this.writing;
    await this.handle.close();
  }

  private add(line: JournalLine): void {
    // It brings its own beginning: what somebody wrote before may have been cut (a crash, a full disk), and would swallow it.
    this.lines.push(`\n${JSON.stringify(line)}`);
    // What comes in the same turn of the event loop, and while a write is under way, goes together.
    this.writing ??= new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => this.write())
      .finally(() => (this.writing = undefined));
  }

  private async write(): Promise<void> {
    while (this.lines.length > 0) {
      const text = this.lines.splice(0).join('');
      const waiting = this.waiting.splice(0);
      try {
        // One write at the end of the file: lines of other processes stay whole.
        await this.handle.appendFile(text);
        if (this.options.sync !== false && waiting.length > 0) await this.handle.datasync();
        for (const { resolve } of waiting) resolve();
      } catch (error) {
        for (const { reject } of waiting) reject(failure(this.options.file, error));
      }
    }
  }
}

const failure = (file: string, cause: unknown): BranchlineError =>
  new BranchlineError(
    'BRANCHLINE_EFFECTS_JOURNAL',
    `The effects journal ${file} cannot be written (${(cause as Error).message}): activities do not run without it. Make room, or correct the worker's option effectsJournal`,
    { cause },
  );

/**
 * Carries out batch operations. A process takes over jobs that no living process has, lists what they are for, and does item after item; how far it
 * came is durable, and an item that was done just before a crash bears being done again.
 */
import { type Call, carryOut, jobFilter } from '../service/batch/operations';
import { Code, ServiceError } from '../service/errors';
import { RateLimit } from './rate-limit';
import type { BatchItem, BatchJob } from '../store/batch-job-types';
import type { Store } from '../store/types';

/** How often a process looks for jobs that others left, ms. Those it starts itself it takes at once. */
const LOOK_MS = 30_000;
const LIST_PAGE = 500;
/** Items done before their fates are written, and how many at a time. */
const PORTION = 100;
const AT_ONCE = 5;
/** Attempts at an item that is refused for a passing reason, and the wait after the first, ms; doubled each time up to the most. */
const ATTEMPTS = 8;
const FIRST_WAIT_MS = 100;
const MOST_WAIT_MS = 5000;

const passing = new Set([
  Code.UNAVAILABLE,
  Code.RESOURCE_EXHAUSTED,
  Code.ABORTED,
  Code.DEADLINE_EXCEEDED,
  Code.CANCELLED,
]);

/** A job that failed as a whole, as the database was away, is looked for again after this long, ms. */
const RETRY_MS = 1000;

/** The job was stopped, or is another process's by now. */
class JobLost extends Error {}

export class BatchJobs {
  private timer: NodeJS.Timeout | null = null;
  private readonly stopNotices: () => void;
  private looking = false;
  private lookAgain = false;
  private readonly working = new Map<BatchJob, Promise<void>>();
  private readonly waits = new Set<() => void>();
  private closed = false;

  constructor(
    private readonly store: Store,
    private readonly call: Call,
  ) {
    this.stopNotices = store.onNotice(({ kind }) => {
      if (kind === 'processDied' || kind === 'missed') this.look();
    });
  }

  /** There may be a job to take. */
  look(): void {
    if (this.closed || !this.store.rights.work || this.store.fence.raised) return;
    this.lookAgain = true;
    if (this.looking) return;
    this.looking = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.take()
      // The database is away; the next look finds the same.
      .catch(() => undefined)
      .finally(() => {
        this.looking = false;
        if (!this.closed) this.timer = setTimeout(() => this.look(), LOOK_MS).unref();
      });
  }

  /** Gives jobs back after the items under way. */
  async close(): Promise<void> {
    this.closed = true;
    this.stopNotices();
    if (this.timer !== null) clearTimeout(this.timer);
    for (const wake of this.waits) wake();
    await Promise.allSettled(this.working.values());
  }

  private async take(): Promise<void> {
    while (this.lookAgain && !this.closed) {
      this.lookAgain = false;
      for (let job = await this.claim(); job !== null; job = await this.claim()) {
        const claimed = job;
        const work = this.work(claimed).finally(() => this.working.delete(claimed));
        this.working.set(claimed, work);
      }
    }
  }

  private claim(): Promise<BatchJob | null> {
    return this.store.batchJobs.claim([...this.working.keys()]);
  }

  private async work(job: BatchJob): Promise<void> {
    try {
      if (!job.listed) await this.list(job);
      await this.doItems(job);
      if (!this.closed) await this.store.batchJobs.complete(job);
    } catch (error) {
      if (error instanceof JobLost) return;
      // What failed is not an item but the job's own bookkeeping: it goes on, here or elsewhere, with the next look.
      await this.wait(RETRY_MS);
      this.look();
    }
    await this.store.batchJobs.release(job).catch(() => undefined);
  }

  /** Writes down what the job is for, before the first of it is changed: the filter would not find it any more. */
  private async list(job: BatchJob): Promise<void> {
    const { namespace } = job.operation as { namespace: string };
    let { pageToken } = job;
    do {
      if (this.closed) return;
      const page = await this.call<{
        executions?: { execution?: { workflowId?: string; runId?: string } }[];
        nextPageToken?: Uint8Array;
      }>('listWorkflowExecutions', { namespace, query: jobFilter(job), pageSize: LIST_PAGE, nextPageToken: pageToken });
      const targets = (page.executions ?? []).map(({ execution }) => ({
        workflowId: execution?.workflowId ?? '',
        runId: execution?.runId ?? '',
      }));
      pageToken = page.nextPageToken?.length ? page.nextPageToken : null;
      if (!(await this.store.batchJobs.addItems(job, targets, pageToken))) throw new JobLost();
    } while (pageToken !== null);
  }

  private async doItems(job: BatchJob): Promise<void> {
    const rate = new RateLimit(job.operationsPerSecond);
    for (let position = 0; !this.closed;) {
      // Slow jobs are seen to go on, and to be stopped.
      const portion = Math.max(1, Math.min(PORTION, Math.floor(job.operationsPerSecond)));
      const items = await this.store.batchJobs.items(job, position, portion);
      if (items.length === 0) return;
      const fates: { position: number; error: string | null }[] = [];
      const waiting = [...items];
      const doSome = async (): Promise<void> => {
        for (let item = waiting.shift(); item !== undefined && !this.closed; item = waiting.shift()) {
          for (let wait = rate.take(); wait > 0 && !this.closed; wait = rate.take()) await this.wait(wait);
          if (this.closed) return;
          const error = await this.doItem(job, item);
          if (error !== undefined) fates.push({ position: item.position, error });
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, doSome));
      if (!(await this.store.batchJobs.finish(job, fates))) throw new JobLost();
      position = items[items.length - 1]!.position;
    }
  }

  /** Null = done, or nothing to do; a sentence when it cannot be done; undefined when it was left. */
  private async doItem(job: BatchJob, item: BatchItem): Promise<string | null | undefined> {
    const { namespace } = job.operation as { namespace: string };
    for (let attempt = 1, wait = FIRST_WAIT_MS; ; attempt++, wait = Math.min(2 * wait, MOST_WAIT_MS)) {
      try {
        await carryOut(this.call, job, { namespace, workflowId: item.workflowId, runId: item.runId });
        return null;
      } catch (error) {
        if (!(error instanceof ServiceError)) return error instanceof Error ? error.message : String(error);
        // Gone or closed: there is nothing left to do for it.
        if (error.code === Code.NOT_FOUND) return null;
        // A database that is away is waited for, however long it takes.
        const lasting = !passing.has(error.code) || (attempt >= ATTEMPTS && error.code !== Code.UNAVAILABLE);
        if (lasting) return error.details;
        await this.wait(wait);
        if (this.closed) return undefined;
      }
    }
  }

  private wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.waits.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms).unref();
      this.waits.add(wake);
    });
  }
}

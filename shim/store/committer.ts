/**
 * Group commit: all groups that are ready go to Postgres in one call and one commit; the next batch gathers while one is in flight.
 * An idle store commits at once; only between large batches there is a short pause.
 */
import { performance } from 'node:perf_hooks';
import type { Clock } from './clock';
import { batchParameters, encodeCommit, type EncodedCommit } from './commit-batch';
import type { Connections } from './connections';
import { BranchlineError } from '../common/branchline-error';
import { codeOf, isConnectionLoss, isPassing, UNIQUE_VIOLATION } from './errors';
import type { Fence } from './fence';
import type { Statement } from './statement';
import type { CommitOutcome, RunCommit } from './types';

interface Waiting {
  commits: EncodedCommit[];
  /** Runs and new workflow ids that it touches. */
  keys: Set<string>;
  size: number;
  /** performance.now() before which it is not tried again: a row of it was locked. */
  notBefore: number;
  /** How often a row of it was locked, or trouble passed. */
  attempts: number;
  /** The fence's, when it was decided. */
  epoch: number;
  resolve(outcome: CommitOutcome): void;
  reject(error: unknown): void;
}

enum Verdict {
  Committed = 0,
  Conflict = 1,
  IdTaken = 2,
  Locked = 3,
  Inbox = 4,
}

interface BatchAnswer {
  verdicts: Verdict[];
  now_ms: number;
}

/**
 * After a batch of at least so many commits the process is busy, and more are about to come: the next one gathers for so long, ms. Fewer
 * commits and fewer round trips then cost the busy event loop less than they delay.
 */
const busyCommits = 12;
const gatherMs = 3;
/** Beyond these a batch gains nothing and the others wait longer. */
const maxCommits = 500;
const maxBytes = 4_000_000;
/** Passing trouble of one group alone (its own deadlocks, lock timeouts) before its error is told. */
const maxTroubles = 20;
/** A batch number was given up by `settle_batch`. */
const givenUp = 'BL001';

export class Committer {
  private waiting: Waiting[] = [];
  private running = false;
  private wake: NodeJS.Timeout | undefined;
  private batchNumber = 0;

  constructor(
    private readonly connections: Connections,
    private readonly clock: Clock,
    private readonly processId: string,
    private readonly leaseMs: number,
    private readonly statements: { commitBatch: Statement; settleBatch: Statement },
    private readonly fence: Pick<Fence, 'epoch'>,
  ) {}

  commit(group: RunCommit[]): Promise<CommitOutcome> {
    return new Promise((resolve, reject) => this.add(group, resolve, reject));
  }

  private add(group: RunCommit[], resolve: Waiting['resolve'], reject: Waiting['reject']): void {
    this.connections.throwIfClosed();
    const commits = group.map(encodeCommit);
    let size = 0;
    // A run that closes before its start was committed comes with its successor: two starts of one id in one group.
    const keys = new Set<string>();
    for (const commit of commits) {
      size += commit.size;
      keys.add(commit.runId);
      if (commit.create !== null) keys.add(`${commit.create.namespaceId}:${commit.create.workflowId}`);
    }
    this.waiting.push({ commits, keys, size, notBefore: 0, attempts: 0, epoch: this.fence.epoch, resolve, reject });
    if (this.running) return;
    this.running = true;
    // What is asked for in the same turn of the event loop goes together.
    setImmediate(() => void this.run());
  }

  get waitingGroups(): number {
    return this.waiting.length;
  }

  /** Resolves when nothing is in flight or waiting. */
  async drain(): Promise<void> {
    while ((this.running || this.waiting.length > 0) && !this.connections.closed) await this.connections.delay(5);
  }

  /** Ends every commit that is still waiting. */
  abandon(error: Error): void {
    clearTimeout(this.wake);
    for (const group of this.waiting.splice(0)) group.reject(error);
  }

  private async run(): Promise<void> {
    for (;;) {
      const batch = this.nextBatch();
      if (batch.length === 0) break;
      await this.flush(batch);
      if (batch.length >= busyCommits) await this.connections.delay(gatherMs);
    }
    this.running = false;
    this.sleepUntilNext();
  }

  /** The oldest groups that do not touch each other: two changes of one run, or two starts of one id, go in their order. */
  private nextBatch(): Waiting[] {
    const now = performance.now();
    const touched = new Set<string>();
    const batch: Waiting[] = [];
    const left: Waiting[] = [];
    let commits = 0;
    let bytes = 0;
    let seen = 0;
    for (const group of this.waiting) {
      if (batch.length > 0 && (commits + group.commits.length > maxCommits || bytes + group.size > maxBytes)) break;
      seen++;
      let free = group.notBefore <= now;
      for (const key of group.keys) {
        if (touched.has(key)) free = false;
        else touched.add(key);
      }
      if (!free) {
        left.push(group);
        continue;
      }
      batch.push(group);
      commits += group.commits.length;
      bytes += group.size;
    }
    this.waiting = seen === left.length ? this.waiting : [...left, ...this.waiting.slice(seen)];
    return batch;
  }

  private sleepUntilNext(): void {
    if (this.waiting.length === 0) return;
    const next = Math.min(...this.waiting.map((group) => group.notBefore));
    clearTimeout(this.wake);
    this.wake = setTimeout(
      () => {
        if (this.running) return;
        this.running = true;
        void this.run();
      },
      Math.max(1, next - performance.now()),
    );
  }

  /** Brings a batch to its end; an error that is not the connection's splits it, so that one bad group harms no other. */
  private async flush(decided: Waiting[]): Promise<void> {
    const { epoch } = this.fence;
    const batch: Waiting[] = [];
    for (const group of decided) {
      if (group.epoch === epoch || onlyStarts(group)) batch.push(group);
      // Decided on what another timeline knew, of which nothing is certain: it is to be decided again.
      else group.resolve({ kind: 'conflict' });
    }
    const parameters = batch.length === 0 ? undefined : this.encode(batch);
    if (parameters === undefined) return;
    let answer: BatchAnswer | undefined;
    const { observer } = this.connections;
    const sentAt = observer === undefined ? 0 : performance.now();
    try {
      answer = await this.send(parameters, epoch);
      if (answer === undefined) return await this.flush(batch);
      observer?.committed(
        batch.reduce((runs, group) => runs + group.commits.length, 0),
        performance.now() - sentAt,
      );
    } catch (error) {
      if (this.connections.closed || (error as Partial<BranchlineError>).code === 'BRANCHLINE_COMMIT_UNKNOWN') {
        for (const group of batch) group.reject(error);
      } else if (batch.length > 1) {
        const half = batch.length >> 1;
        await this.flush(batch.slice(0, half));
        await this.flush(batch.slice(half));
      } else {
        this.retryOrReject(batch[0] as Waiting, error);
      }
      return;
    }
    answer.verdicts.forEach((verdict, i) => this.settle(batch[i] as Waiting, verdict));
  }

  /** Undefined when a group cannot be written as parameters: it is refused alone and the rest waits for the next batch. */
  private encode(batch: Waiting[]): unknown[] | undefined {
    try {
      return batchParameters(batch.map((group) => group.commits));
    } catch {
      for (const group of batch) {
        try {
          batchParameters([group.commits]);
          this.waiting.unshift(group);
        } catch (error) {
          group.reject(error);
        }
      }
      return undefined;
    }
  }

  private settle(group: Waiting, verdict: Verdict): void {
    switch (verdict) {
      case Verdict.Committed:
        return group.resolve({ kind: 'committed' });
      case Verdict.Conflict:
        return group.resolve({ kind: 'conflict' });
      case Verdict.IdTaken:
        return group.resolve({ kind: 'idTaken' });
      case Verdict.Locked:
        return this.tryLater(group);
      case Verdict.Inbox:
        return group.resolve({ kind: 'inbox' });
    }
  }

  /** Somebody's open transaction holds a row or an id of this group: it waits, the others do not. */
  private tryLater(group: Waiting): void {
    group.notBefore = performance.now() + Math.min(200, 2 * 2 ** Math.min(group.attempts, 10));
    group.attempts++;
    this.waiting.unshift(group);
  }

  private retryOrReject(group: Waiting, error: unknown): void {
    // A unique violation: somebody wrote this workflow id past the lock on it. The next try finds it taken.
    const passing = isPassing(error) || (codeOf(error) === UNIQUE_VIOLATION && group.attempts === 0);
    if (passing && group.attempts < maxTroubles) this.tryLater(group);
    else group.reject(error);
  }

  /**
   * Sends one batch until its fate is known: after a lost connection Postgres is asked whether it was committed. Undefined when there is another timeline meanwhile, on which
   * it was not.
   */
  private send(parameters: unknown[], epoch: number): Promise<BatchAnswer | undefined> {
    let open = false;
    return this.connections.persist(async () => {
      if (open) {
        const settled = await this.settleBatch();
        open = false;
        if (settled.committed === true) {
          const count = parameters[0] as number;
          return { verdicts: settled.verdicts ?? new Array<Verdict>(count).fill(Verdict.Committed), now_ms: 0 };
        }
        if (settled.committed === null) {
          throw new BranchlineError(
            'BRANCHLINE_COMMIT_UNKNOWN',
            'The connection was lost during a commit and this process lost its lease: whether it was committed is unknown. Reload the run',
          );
        }
      }
      for (;;) {
        if (this.fence.epoch !== epoch) return undefined;
        const batchNumber = this.batchNumber + 1;
        const sentAt = performance.now();
        try {
          const answer = await this.connections.flush<BatchAnswer>(this.statements.commitBatch, [
            this.processId,
            batchNumber,
            this.leaseMs,
            ...parameters,
          ]);
          this.batchNumber = batchNumber;
          this.clock.sample(answer.now_ms, sentAt, performance.now());
          return answer;
        } catch (error) {
          // The number is used up: by a batch of unknown fate, or already given up (nothing was written then).
          if (isConnectionLoss(error)) {
            this.batchNumber = batchNumber;
            open = true;
          } else if (codeOf(error) === givenUp) {
            this.batchNumber = batchNumber;
            continue;
          }
          throw error;
        }
      }
    }, 0);
  }

  private settleBatch(): Promise<{ committed: boolean | null; verdicts: Verdict[] | null }> {
    return this.connections.flush(this.statements.settleBatch, [this.processId, this.batchNumber]);
  }
}

/** New runs are judged by what is there. */
const onlyStarts = ({ commits }: Waiting): boolean => commits.every(({ expectedVersion }) => expectedVersion === 0);

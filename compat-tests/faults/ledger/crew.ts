/** Worker processes of one task queue: one at work, a second for when the first is cut off, and one that has booted in the meantime. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Order } from './worker';

/** So many may die on their way to work, as Postgres dies under them. */
const BOOTS = 5;

export class Hand {
  private readonly process: ChildProcess;
  private readonly booted: Promise<unknown>;
  /** Resolves when it is dead, whoever killed it. */
  readonly gone: Promise<void>;

  /** `crashed` is told if it ends by itself. */
  constructor(crashed: (how: string) => void) {
    this.process = fork(path.join(__dirname, 'worker.ts'), {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'ignore', process.env.FAULT_LOG ? 'inherit' : 'ignore', 'ipc'],
    });
    this.booted = this.answer();
    this.gone = once(this.process, 'exit').then(([code, signal]) => {
      if (signal !== 'SIGKILL') crashed(`worker process: ${signal ?? code}`);
    });
  }

  /** Resolves when it has done so; orders are given one after the other. False when it died before. */
  async tell(order: Order): Promise<boolean> {
    await this.booted;
    if (!this.alive) return false;
    const done = this.answer();
    this.process.send(order, () => undefined);
    return (await done) === 'done';
  }

  get alive(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    if (!this.alive) return;
    this.process.kill('SIGKILL');
    await this.gone;
  }

  private answer(): Promise<unknown> {
    return new Promise((resolve) => {
      const answered = (message: unknown): void => {
        this.process.off('exit', died);
        resolve(message);
      };
      const died = (): void => {
        this.process.off('message', answered);
        resolve(undefined);
      };
      this.process.once('message', answered);
      this.process.once('exit', died);
    });
  }
}

export class Crew {
  private hand: Hand | undefined;
  private spare: Hand | undefined;

  constructor(
    private readonly url: string,
    private readonly schema: string,
    private readonly taskQueue: string,
    private readonly bundle: string,
    private readonly crashed: (how: string) => void,
  ) {
    this.spare = new Hand(crashed);
  }

  /** The process at work; a new one when the last was killed. */
  async working(polls = true): Promise<Hand> {
    for (let tries = 1; this.hand?.alive !== true; tries++) {
      if (tries > BOOTS)
        throw new Error(`${BOOTS} processes ended before they were ready (FAULT_LOG=1 shows what they say)`);
      const next = this.spare ?? new Hand(this.crashed);
      this.spare = undefined;
      this.hand = next;
      const { url: go, schema, taskQueue, bundle } = this;
      if (!(await next.tell({ go, schema, taskQueue, bundle }))) await next.kill();
    }
    await this.hand.tell({ poll: polls });
    return this.hand;
  }

  /** SIGKILL. The next one boots before it is asked for. */
  async killWorking(): Promise<void> {
    this.spare ??= new Hand(this.crashed);
    await this.hand?.kill();
  }

  async end(): Promise<void> {
    await this.hand?.kill();
    await this.spare?.kill();
  }
}

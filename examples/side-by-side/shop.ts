/** The application's calls, all by one client that knows nothing of the router, and what they should have led to. */
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Engine, Entry } from './books';
import { type Seen, addSeats, finish, note, seen } from './workflows';

export class Shop {
  readonly entries: Entry[] = [];
  /** Starts that lost to another one of the same id. */
  refused = 0;

  private onStarted: () => void = () => undefined;

  constructor(private readonly client: Client) {}

  /** Each is started by two callers at once: one of them gets it. */
  async start(type: Entry['type'], ids: string[], engineOf: (id: string) => Engine): Promise<void> {
    await Promise.all(
      ids.map(async (workflowId) => {
        const outcomes = await Promise.all([this.startOne(type, workflowId), this.startOne(type, workflowId)]);
        const started = outcomes.filter(Boolean).length;
        if (started !== 1) throw new Error(`${started} of 2 starts of ${workflowId} succeeded`);
        this.refused++;
        this.entries.push({ workflowId, type, engine: engineOf(workflowId), notes: 0, seats: 0, finished: false });
        this.onStarted();
      }),
    );
  }

  /**
   * Starts them, and does `chaos` as soon as the first of them is answered.
   * @throws Error when all were answered by then, so that nothing was under way
   */
  async startDuring(
    chaos: (underWay: number) => Promise<void>,
    type: Entry['type'],
    ids: string[],
    engineOf: (id: string) => Engine,
  ): Promise<void> {
    const before = this.entries.length;
    const first = new Promise<void>((resolve) => (this.onStarted = resolve));
    const all = this.start(type, ids, engineOf);
    await Promise.race([first, all]);
    const underWay = before + ids.length - this.entries.length;
    if (underWay === 0) throw new Error('All starts were answered already');
    await Promise.all([chaos(underWay), all]);
  }

  /** Signals, updates and queries each open workflow. @throws Error when an answer is not what was sent */
  async callAll(): Promise<string> {
    const open = this.entries.filter(({ finished }) => !finished);
    await inTurns(open, async (entry) => {
      const handle = this.client.workflow.getHandle(entry.workflowId);
      await handle.signal(note);
      entry.notes++;
      const seats = await handle.executeUpdate(addSeats, { args: [2] });
      entry.seats += 2;
      if (seats !== entry.seats) throw new Error(`${entry.workflowId} has ${seats} seats, not ${entry.seats}`);
      same(entry, await handle.query(seen));
    });
    return `${open.length} open ones signalled, updated and queried`;
  }

  /** Ends the open ones of a type and compares what each counted with what it was sent. */
  async finishAll(type: Entry['type']): Promise<string> {
    const open = this.entries.filter((entry) => entry.type === type && !entry.finished);
    await inTurns(open, async (entry) => {
      const handle = this.client.workflow.getHandle(entry.workflowId);
      await handle.signal(finish);
      same(entry, (await handle.result()) as Seen);
      entry.finished = true;
    });
    return `${open.length} of type ${type} finished, with every signal and update counted once`;
  }

  private async startOne(type: Entry['type'], workflowId: string): Promise<boolean> {
    try {
      await this.client.workflow.start(type, {
        workflowId,
        taskQueue: 'shop',
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
      });
      return true;
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
      throw error;
    }
  }
}

function same({ workflowId, notes, seats }: Entry, state: Seen): void {
  if (state.notes !== notes || state.seats !== seats) {
    throw new Error(`${workflowId} counted ${JSON.stringify(state)}; it was sent ${JSON.stringify({ notes, seats })}`);
  }
}

const AT_ONCE = 8;

async function inTurns<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const lane = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

/**
 * How the fence stands (docs/restore.md), and on which timeline of Postgres this process works. Asked on each new connection and with each renewal of the lease, never by a
 * commit: a restore and a failover end all connections.
 */
import type { ClientBase } from 'pg';
import type { Statement } from './statement';

/** As `meet_timeline` answers. */
export interface Met {
  /** Null = Postgres does not tell. */
  timeline: string | null;
  fenced: boolean;
}

/** There is another timeline since the operation was asked for: it may be meant for the old one. Asked again, it is sent. */
export class TimelineMoved extends Error {
  constructor() {
    super('Postgres is on another timeline now: ask again');
  }
}

export class Fence {
  /** No work is given out. */
  raised = false;
  /** Moves with each new timeline: what memory knew before may never have happened on this one. */
  epoch = 0;
  private timeline: string | null = null;
  private readonly met = new WeakSet<ClientBase>();

  constructor(
    private readonly statement: Statement,
    private readonly onMove: () => void,
    private readonly onChange: () => void,
  ) {}

  /** So that the way of commits need not wait for nothing. */
  hasMet(client: ClientBase): boolean {
    return this.met.has(client);
  }

  /** Before a connection is used for the first time. */
  async meet(client: ClientBase): Promise<void> {
    if (this.met.has(client)) return;
    const { rows } = await client.query<Met>(this.statement);
    this.met.add(client);
    if (rows[0] !== undefined) this.saw(rows[0]);
  }

  saw({ timeline, fenced }: Met): void {
    const moved = timeline !== null && this.timeline !== null && timeline !== this.timeline;
    const changed = fenced !== this.raised;
    this.timeline = timeline ?? this.timeline;
    this.raised = fenced;
    if (moved) {
      this.epoch += 1;
      this.onMove();
    }
    if (changed) this.onChange();
  }
}

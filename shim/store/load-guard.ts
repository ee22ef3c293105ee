/** The load of this Postgres, and what followed from it. See load-types.ts for the contract of each call. */
import type { Connections } from './connections';
import type { LoadCounters, LoadEvent, LoadState, LoadStore, LoadVerdict } from './load-types';
import { loadGuard } from './sql/load-guard';
import { prepareStatements } from './statement';
import type { Notice } from './types';

interface VerdictRecord extends Omit<LoadState, 'sinceMs'> {
  since_ms: number;
  age_ms: number;
  sampler: string;
}

export class PostgresLoad implements LoadStore {
  private readonly sql: ReturnType<typeof statements>;

  constructor(
    private readonly connections: Connections,
    private readonly schema: string,
    prepared: boolean,
    private readonly tell: (notice: Notice) => void,
  ) {
    this.sql = statements(schema, prepared);
  }

  async claim(sampler: string, leaseMs: number, pauseMs: number): Promise<boolean> {
    return (await this.connections.query(this.sql.claim, [sampler, leaseMs, pauseMs])).length > 0;
  }

  async release(sampler: string): Promise<void> {
    await this.connections.query(this.sql.release, [sampler]);
  }

  async counters(withReplication: boolean): Promise<LoadCounters> {
    const [row] = await this.connections.query<{ connections: number; writes: number; dead_tuples: number }>(
      this.sql.counters,
      [this.schema],
    );
    return {
      connections: row?.connections ?? 0,
      writes: row?.writes ?? 0,
      deadTuples: row?.dead_tuples ?? 0,
      replicationLagSeconds: withReplication ? await this.replicationLag() : null,
    };
  }

  async write(
    sampler: string,
    { phase, sinceMs, load, reasons, event }: LoadState & { event: LoadEvent | null },
  ): Promise<boolean> {
    const json = [load, reasons, event].map((value) => (value === null ? null : JSON.stringify(value)));
    // Once: a repetition would log the event again. What is lost is seen at the next look.
    const rows = await this.connections.queryOnce(this.sql.write, [sampler, phase, sinceMs, ...json]);
    if (rows.length > 0 && event !== null) this.tell({ kind: 'load' });
    return rows.length > 0;
  }

  async read(): Promise<LoadVerdict | null> {
    const [row] = await this.connections.query<VerdictRecord>(this.sql.read, []);
    if (row === undefined) return null;
    const { since_ms: sinceMs, age_ms: ageMs, ...rest } = row;
    return { ...rest, sinceMs, ageMs, diverting: rest.phase === 'diverting' || rest.phase === 'easing' };
  }

  async events(limit: number): Promise<(LoadEvent & { atMs: number })[]> {
    const rows = await this.connections.query<LoadEvent & { at_ms: number }>(this.sql.events, [limit]);
    return rows.map(({ at_ms: atMs, ...event }) => ({ ...event, atMs }));
  }

  private async replicationLag(): Promise<number | null> {
    try {
      return (await this.connections.queryOnce<{ lag: number | null }>(this.sql.replicationLag, []))[0]?.lag ?? null;
    } catch {
      // Some who run Postgres for others do not show it.
      return null;
    }
  }
}

const statements = (schema: string, prepared: boolean) =>
  prepareStatements(schema, 'load', loadGuard(`"${schema}"`), prepared);

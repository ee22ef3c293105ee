/**
 * What a workload cost: wall time, statements, write transactions, WAL bytes, CPU of this process and of Postgres.
 * Plain JavaScript: the peers' package imports it as well.
 */
import { readFileSync, readdirSync } from 'node:fs';
import pg from 'pg';

const TICK_MS = 10; // USER_HZ is 100 on every Linux that Node runs on

/** CPU ms of the postmaster and all its children, the ended ones included. */
function postgresCpuMs(postmasterPid) {
  let ticks = 0;
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const isMaster = Number(pid) === postmasterPid;
      if (!isMaster && Number(fields[1]) !== postmasterPid) continue;
      ticks += Number(fields[11]) + Number(fields[12]);
      if (isMaster) ticks += Number(fields[13]) + Number(fields[14]);
    } catch {
      // ended between the listing and the reading
    }
  }
  return ticks * TICK_MS;
}

export class Meter {
  /** @param {string} url @param {number} postmasterPid */
  static async open(url, postmasterPid) {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
    return new Meter(client, postmasterPid);
  }

  constructor(client, postmasterPid) {
    this.client = client;
    this.postmasterPid = postmasterPid;
  }

  async #read() {
    const { rows } = await this.client.query(
      `SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS xid, pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS wal,
              (SELECT coalesce(sum(calls), 0) FROM pg_stat_statements) AS statements`,
    );
    const cpu = process.cpuUsage();
    return {
      at: performance.now(),
      xids: Number(rows[0].xid),
      wal: Number(rows[0].wal),
      statements: Number(rows[0].statements),
      node: (cpu.user + cpu.system) / 1000,
      postgres: postgresCpuMs(this.postmasterPid),
    };
  }

  /** Runs `work` and says what it cost in all. */
  async of(work) {
    await this.client.query('CHECKPOINT');
    const before = await this.#read();
    const value = await work();
    const after = await this.#read();
    return {
      value,
      wallMs: after.at - before.at,
      xids: after.xids - before.xids,
      walBytes: after.wal - before.wal,
      statements: after.statements - before.statements - 1,
      nodeCpuMs: after.node - before.node,
      postgresCpuMs: after.postgres - before.postgres,
    };
  }

  async close() {
    await this.client.end();
  }
}

/** The p-th percentile (0 to 1) of the samples. */
export function percentile(samples, p) {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))];
}

/** Costs of one unit out of `n`. */
export function perUnit(cost, n) {
  return {
    statements: cost.statements / n,
    xids: cost.xids / n,
    walBytes: cost.walBytes / n,
    nodeCpuMs: cost.nodeCpuMs / n,
    postgresCpuMs: cost.postgresCpuMs / n,
  };
}

/** About 100 bytes of JSON, in and out of every step. */
export const payload = (i) => ({ id: i, text: 'x'.repeat(80) });

/** One result line that run.ts reads. */
export function report(workload, figures) {
  process.stdout.write(`${JSON.stringify({ workload, ...figures })}\n`);
}

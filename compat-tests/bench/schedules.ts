/**
 * Schedules that all fall due in one minute, in two processes: `npx tsx compat-tests/bench/schedules.ts [how many, default 10000]`.
 * Prints what idle schedules cost, whether each fired once, how late, and what that cost; ends with 1 when one did not or fired twice.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { Client, Connection, ScheduleOverlapPolicy } from 'branchline/client';
import { Client as Postgres } from 'pg';
import { startPostgres } from '../../lib/testing/embedded-postgres';
import { Meter, percentile, perUnit } from './meter.mjs';

const COUNT = Number(process.argv[2] ?? 10_000);
const IDLE_MS = 15_000;
const MINUTE_MS = 60_000;
/** Creations at a time. */
const AT_ONCE = 200;

async function main(): Promise<void> {
  const postgres = await startPostgres({
    useEnvironment: false,
    settings: { shared_preload_libraries: 'pg_stat_statements' },
  });
  const connection = await Connection.connect({ url: postgres.url });
  const client = new Client({ connection });
  const other = fork(path.join(__dirname, '../../test/support/processes/scheduler.ts'), {
    env: { ...process.env, DATABASE_URL: postgres.url, SCHEMA: 'branchline' },
    execArgv: ['--import', 'tsx'],
  });
  await once(other, 'message');
  const meter = await Meter.open(postgres.url, postgres.pid);

  const creating = performance.now();
  // A guess at how long it takes to create them, and to look at them idle.
  const minute = Math.ceil((Date.now() + COUNT * 6 + IDLE_MS + 20_000) / MINUTE_MS) * MINUTE_MS;
  const create = (n: number): Promise<unknown> => {
    const due = new Date(minute + (n % 60) * 1000);
    return client.schedule.create({
      scheduleId: `s${n}`,
      spec: {
        calendars: [
          {
            year: due.getUTCFullYear(),
            month: due.toLocaleString('en', { month: 'long', timeZone: 'UTC' }).toUpperCase() as 'MAY',
            dayOfMonth: due.getUTCDate(),
            hour: due.getUTCHours(),
            minute: due.getUTCMinutes(),
            second: due.getUTCSeconds(),
          },
        ],
      },
      action: { type: 'startWorkflow', workflowType: 'w', workflowId: `w${n}`, taskQueue: 'nobody' },
      policies: { overlap: ScheduleOverlapPolicy.SKIP },
    });
  };
  for (let n = 0; n < COUNT; n += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, COUNT - n) }, (_, i) => create(n + i)));
  }
  const createdMs = performance.now() - creating;
  print(
    `created ${COUNT} in ${(createdMs / 1000).toFixed(1)} s, ${((COUNT / createdMs) * 1000).toFixed(0)} per second`,
  );
  if (Date.now() + IDLE_MS > minute) throw new Error('Creating them took too long for this machine: try fewer.');

  const idle = await meter.of(() => pause(IDLE_MS));
  const perSecond = (ms: number): string => ((ms / idle.wallMs) * 1000).toFixed(2);
  print(
    `idle: ${perSecond(idle.nodeCpuMs)} ms of CPU a second in this process, ${perSecond(idle.postgresCpuMs)} in Postgres, ` +
      `${perSecond(idle.statements)} statements a second`,
  );

  await pause(minute - 2000 - Date.now());
  const cost = await meter.of(() => fired(postgres.url, minute));
  const db = new Postgres({ connectionString: postgres.url });
  await db.connect();
  const { rows } = await db.query<{ late_ms: number }>(
    `SELECT extract(epoch FROM start_time - (search_attributes ->> 'TemporalScheduledStartTime')::timestamptz)::float8 * 1000 AS late_ms
     FROM branchline.executions`,
  );
  const once_ = await db.query<{ count: number }>(
    'SELECT count(DISTINCT workflow_id)::int AS count FROM branchline.executions',
  );
  await db.end();
  const late = rows.map((row) => row.late_ms);
  const distinct = once_.rows[0]!.count;
  print(`fired: ${distinct} of ${COUNT}, ${rows.length - distinct} twice`);
  print(
    `late by: median ${percentile(late, 0.5).toFixed(0)} ms, p95 ${percentile(late, 0.95).toFixed(0)} ms, ` +
      `p99 ${percentile(late, 0.99).toFixed(0)} ms, worst ${Math.max(...late).toFixed(0)} ms`,
  );
  const each = perUnit(cost, COUNT);
  print(
    `each cost ${each.statements.toFixed(2)} statements, ${(each.walBytes / 1000).toFixed(1)} kB of WAL, ` +
      `${each.postgresCpuMs.toFixed(2)} ms of CPU in Postgres, ${each.nodeCpuMs.toFixed(2)} in this one of two processes`,
  );
  process.exitCode = distinct === COUNT && rows.length === COUNT ? 0 : 1;
  await meter.close();
  other.kill();
  await connection.close();
  await postgres.stop();
}

/** Until all are there, or it has been long enough. */
async function fired(url: string, minute: number): Promise<void> {
  const db = new Postgres({ connectionString: url });
  await db.connect();
  for (;;) {
    await pause(1000);
    const { rows } = await db.query<{ count: number }>('SELECT count(*)::int AS count FROM branchline.executions');
    if (rows[0]!.count >= COUNT || Date.now() > minute + 3 * MINUTE_MS) break;
  }
  // Whoever fires twice gets the time to.
  await pause(6000);
  await db.end();
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
const print = (line: string): void => void process.stdout.write(`${line}\n`);

void main();

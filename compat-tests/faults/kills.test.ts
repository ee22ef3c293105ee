import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { Client, Connection } from 'branchline/client';
import { Pool } from 'pg';
import { expect, test } from 'vitest';
import { startPostgres } from '../../lib/testing/embedded-postgres';
import { LEDGER } from './activities';
import { planOf } from './plan';

const WORKFLOWS = Number(process.env.FAULT_WORKFLOWS ?? 320);
const CHAOS_MS = Number(process.env.FAULT_MS ?? 60_000);
const SEED = Number(process.env.FAULT_SEED ?? Date.now() % 1e6);
/** `frozen`: a worker that is stopped until the others have taken it for dead, and then goes on. */
type Victim = 'worker' | 'frozen' | 'starter' | 'postgres';
/** Who is killed, and how often of a hundred kills. FAULT_KILLS=worker,postgres leaves the others alone. */
const SHARES: Record<Victim, number> = { worker: 45, frozen: 10, starter: 20, postgres: 25 };
const FROZEN_MS = 8000;
/** After the last kill; then it is told what is still open. */
const PATIENCE_MS = 60_000;
const VICTIMS = (process.env.FAULT_KILLS?.split(',') ?? Object.keys(SHARES)) as Victim[];

/** A small seeded generator, so that a failing order of kills can be asked for again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return state / 2 ** 32;
  };
}
/** What is still open long after the last kill: for whoever looks into a hang. */
async function reportOpen(db: Pool, started: boolean): Promise<void> {
  const { rows } = await db.query(
    `SELECT e.workflow_id, r.run_id, r.version, r.owner, p.lease_until, r.due_at, r.state, clock_timestamp() AS now
     FROM branchline.runs r JOIN branchline.executions e USING (run_id) LEFT JOIN branchline.processes p ON p.id = r.owner LIMIT 3`,
  );
  const { rows: tasks } = await db.query('SELECT * FROM branchline.tasks LIMIT 10');
  console.log(`starter done: ${started}; open runs and tasks:`, JSON.stringify(rows), JSON.stringify(tasks));
}
function chooseVictim(dice: number): Victim {
  let left = dice * VICTIMS.reduce((sum, victim) => sum + SHARES[victim], 0);
  return VICTIMS.find((victim) => (left -= SHARES[victim]) < 0) ?? VICTIMS[0]!;
}
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test(
  `${WORKFLOWS} mixed workflows end right while workers, starters and Postgres are killed`,
  async () => {
    console.log(`seed ${SEED}`);
    const next = random(SEED);
    const postgres = await startPostgres({ useEnvironment: false });
    const url = postgres.url;
    const db = new Pool({ connectionString: url, max: 3 });
    db.on('error', () => undefined);
    await db.query(LEDGER);
    const bootMs = 4000; // two workers and a starter on two cores
    const env = {
      ...process.env,
      DATABASE_URL: url,
      WORKFLOWS: String(WORKFLOWS),
      SPREAD_FROM: String(Date.now() + bootMs),
      SPREAD_MS: String(0.9 * (CHAOS_MS - bootMs)),
    };
    const spawn = (script: string): ChildProcess =>
      fork(path.join(__dirname, script), {
        env,
        execArgv: ['--import', 'tsx'],
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });

    let started = false;
    let stopping = false;
    const kills = { worker: 0, frozen: 0, starter: 0, postgres: 0 };
    /** Processes that ended by themselves. */
    const crashes: string[] = [];
    const noteEnd = (name: string, code: number | null, signal: NodeJS.Signals | null): void => {
      if (signal !== 'SIGKILL' && code !== 0) crashes.push(`${name}: ${signal ?? code}`);
    };
    const workers: ChildProcess[] = [];
    /** Those that have booted: to kill the others over and over would only test how long a boot takes. */
    const running = new Set<ChildProcess>();
    let starter: ChildProcess | undefined;
    const keepWorker = (slot: number): void => {
      const worker = spawn('worker.ts');
      workers[slot] = worker;
      worker.once('message', () => running.add(worker));
      worker.once('exit', (code, signal) => {
        running.delete(worker);
        noteEnd('worker', code, signal);
        if (!stopping) setTimeout(() => !stopping && keepWorker(slot), 200);
      });
    };
    const keepStarter = (): void => {
      const mine = spawn('starter.ts');
      starter = mine;
      mine.on('message', () => (started = true));
      mine.once('exit', (code, signal) => {
        noteEnd('starter', code, signal);
        if (!stopping && !started) setTimeout(() => !stopping && !started && keepStarter(), 300);
      });
    };
    keepWorker(0);
    keepWorker(1);
    keepStarter();

    try {
      const until = Date.now() + CHAOS_MS;
      await pause(bootMs);
      while (Date.now() < until) {
        await pause(500 + next() * 3500);
        const victim = chooseVictim(next());
        const [one, other] = next() < 0.5 ? workers : [...workers].reverse();
        const worker = [one!, other!].find((each) => running.has(each));
        if (worker === undefined && (victim === 'worker' || victim === 'frozen')) continue;
        kills[victim]++;
        if (victim === 'worker') worker?.kill('SIGKILL');
        else if (victim === 'frozen') {
          worker?.kill('SIGSTOP');
          setTimeout(() => worker?.kill('SIGCONT'), FROZEN_MS);
        } else if (victim === 'starter') starter?.kill('SIGKILL');
        else {
          await postgres.kill();
          await postgres.start();
        }
      }
      const calmSince = Date.now();
      console.log('kills', kills);
      const report = setTimeout(() => void reportOpen(db, started), PATIENCE_MS);
      while (!started) await pause(200);

      const connection = await Connection.connect({ address: url });
      const client = new Client({ connection });
      const plan = planOf(WORKFLOWS);
      const results = await Promise.all(
        plan.map(async ({ workflowId }) => [workflowId, await client.workflow.getHandle(workflowId).result()]),
      );
      expect(results).toEqual(plan.map(({ workflowId, result }) => [workflowId, result]));
      for (const { leaves, n } of plan) {
        if (leaves !== null) expect(await client.workflow.getHandle(leaves).result(), leaves).toBe(n);
      }
      clearTimeout(report);
      console.log(`all results ${Date.now() - calmSince} ms after the last kill`);

      // Every effect once, with the right value; nothing else.
      const { rows: ledger } = await db.query<{ key: string; value: number }>('SELECT key, value FROM effects.ledger');
      expect(Object.fromEntries(ledger.map(({ key, value }) => [key, value]))).toEqual(
        Object.assign({}, ...plan.map((planned) => planned.ledger)),
      );

      // Histories: gapless, one end, every activity attempt that the ledger saw is one the history allows.
      const { rows: attempts } = await db.query<{ run_id: string; activity_id: string; attempts: number }>(
        `SELECT run_id, activity_id, max(attempt) AS attempts FROM effects.attempts GROUP BY 1, 2`,
      );
      const highest = new Map(attempts.map((row) => [`${row.run_id}/${row.activity_id}`, row.attempts]));
      const histories: {
        workflowId: string;
        history: Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;
      }[] = [];
      const durations: [ms: number, workflowId: string][] = [];
      for await (const info of client.workflow.list()) {
        const history = await client.workflow.getHandle(info.workflowId, info.runId).fetchHistory();
        histories.push({ workflowId: info.workflowId, history });
        durations.push([info.closeTime!.getTime() - info.startTime.getTime(), info.workflowId]);
        const events = history.events!;
        expect(events.map((event) => Number(event.eventId))).toEqual(events.map((_, i) => i + 1));
        const ends = events.filter(
          (event) =>
            event.workflowExecutionCompletedEventAttributes || event.workflowExecutionContinuedAsNewEventAttributes,
        );
        expect(ends, info.workflowId).toHaveLength(1);
        // A starter that was killed sends again; nobody else's signal may be there twice, and an update never.
        const signals = events.filter((event) => event.workflowExecutionSignaledEventAttributes).length;
        const sentOnce = info.type === 'signals' && (kills.starter === 0 || info.workflowId.endsWith('/listener'));
        if (sentOnce) expect(signals, info.workflowId).toBe(3);
        const updates = events.filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes).length;
        expect(updates, info.workflowId).toBe(info.type === 'updates' ? 1 : 0);
        for (const event of events) {
          const scheduled = event.activityTaskScheduledEventAttributes;
          if (!scheduled) continue;
          const start = events.find(
            (other) => Number(other.activityTaskStartedEventAttributes?.scheduledEventId) === Number(event.eventId),
          );
          expect(
            start!.activityTaskStartedEventAttributes!.attempt,
            `${info.workflowId}/${scheduled.activityId}`,
          ).toBeGreaterThanOrEqual(highest.get(`${info.runId}/${scheduled.activityId}`) ?? 1);
        }
      }
      await connection.close();

      // Temporal's own core accepts each of them.
      Runtime.install({ logger: new DefaultLogger('ERROR') });
      const refused: string[] = [];
      for await (const verdict of Worker.runReplayHistories(
        { workflowsPath: path.join(__dirname, 'workflows.ts') },
        (async function* () {
          yield* histories;
        })(),
      )) {
        if (verdict.error) refused.push(`${verdict.workflowId}: ${verdict.error.message}`);
      }
      expect(refused).toEqual([]);
      expect(crashes).toEqual([]);
      durations.sort(([a], [b]) => b - a);
      const longest = durations.slice(0, 5).map(([ms, workflowId]) => `${workflowId} ${ms} ms`);
      console.log(`runs took ${durations[durations.length >> 1]![0]} ms (median); the longest: ${longest.join(', ')}`);
      console.log(`${histories.length} histories replayed by the official worker`);
    } finally {
      stopping = true;
      starter?.kill('SIGKILL');
      for (const worker of workers) {
        if (worker.exitCode !== null || worker.signalCode !== null) continue;
        worker.kill('SIGKILL');
        await once(worker, 'exit');
      }
      await db.end();
      await postgres.stop();
    }
  },
  CHAOS_MS + 240_000,
);

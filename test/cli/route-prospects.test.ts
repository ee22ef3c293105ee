/** `branchline route set` looks whether somebody works for what it moves. */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Client, Connection as TemporalConnection } from '@temporalio/client';
import { expect, it } from 'vitest';
import { Connection } from '../../shim/client';
import { createWorkers } from '../../shim/router';
import { type TestSchema, afterTest, freshSchema } from '../support/database';
import { BRANCHLINE } from '../support/server-process';
import { describeWithTemporal } from '../support/temporal';
import * as activities from '../router/activities';

const workflowsPath = join(__dirname, '../router/workflows.ts');

describeWithTemporal('branchline route set', (server) => {
  const branchline = (database: TestSchema, ...args: string[]): { warnings: string[]; status: number | null } => {
    const all = [BRANCHLINE, ...args, '--db', database.url, '--schema', database.schema];
    const { stderr, status } = spawnSync(process.execPath, all, { encoding: 'utf8' });
    return { warnings: stderr.split('\n').filter((line) => line !== ''), status };
  };
  const clients = async (database: TestSchema): Promise<Record<'temporal' | 'postgres', Client>> => {
    const temporal = await TemporalConnection.connect({ address: server().address });
    afterTest(() => temporal.close());
    const postgres = await Connection.connect({ ...database });
    afterTest(() => postgres.close());
    return { temporal: new Client({ connection: temporal }), postgres: new Client({ connection: postgres }) };
  };

  it('finds the task queues of a type among its runs on Temporal, and warns until a worker polls them on the other side', async () => {
    const database = freshSchema();
    const { temporal } = await clients(database);
    const taskQueue = `q-${randomUUID()}`;
    const type = `moved-${randomUUID()}`;
    const set = () => branchline(database, 'route', 'set', type, '10%', '--temporal', server().address);
    const warnings = () => set().warnings;
    const none = set();
    expect(none.status).toBe(0);
    expect(none.warnings).toEqual([
      `Warning: which task queues rule '${type}' sends to postgres is not known (no such run on postgres, temporal), nor whether workers poll them there.`,
    ]);
    const handle = await temporal.workflow.start(type, { workflowId: randomUUID(), taskQueue });
    const nobody = `Warning: nobody polls task queue '${taskQueue}' (namespace default) on postgres: what starts there waits for a worker.`;
    // Temporal writes its visibility a moment later.
    await expect.poll(warnings, { timeout: 30_000 }).toEqual([nobody]);
    const workers = await createWorkers({ postgres: { ...database }, taskQueue, workflowsPath, activities });
    await workers.runUntil(async () => {
      await expect.poll(warnings, { timeout: 30_000 }).toEqual([]);
    });
    await handle.terminate();
  }, 120_000);

  it('asks Temporal when that is where things go, also after a rollback or a drain, and says when it was not given', async () => {
    const database = freshSchema();
    const { postgres } = await clients(database);
    const taskQueue = `q-${randomUUID()}`;
    const type = `back-${randomUUID()}`;
    const handle = await postgres.workflow.start(type, { workflowId: randomUUID(), taskQueue });
    const nobody = `Warning: nobody polls task queue '${taskQueue}' (namespace default) on temporal: what starts there waits for a worker.`;
    const asking = ['--temporal', server().address];
    const set = (...more: string[]) =>
      branchline(database, 'route', 'set', type, '--engine', 'temporal', ...more).warnings;
    expect(set()).toEqual([
      "Warning: engine 'temporal' was not asked whether workers are there.",
      "Warning: give --temporal <address> to have 'temporal' asked.",
    ]);
    branchline(database, 'route', 'set', type, '--engine', 'postgres');
    expect(branchline(database, 'route', 'rollback', '1', ...asking).warnings).toEqual([nobody]);
    branchline(database, 'route', 'set', type, '--engine', 'postgres');
    expect(branchline(database, 'drain', type, '--from', 'postgres', ...asking).warnings).toEqual([nobody]);
    await handle.terminate();
  }, 120_000);

  it('asks Temporal for what the load guard may send there', () => {
    const database = freshSchema();
    const set = (...args: string[]) => branchline(database, 'route', 'set', ...args).warnings;
    const taskQueue = `q-${randomUUID()}`;
    set('batch', '--movable', '--task-queue', taskQueue);
    const guard = ['--guard', 'dry-run', '--budgets', 'connections=80', '--temporal', server().address];
    const nobody = `Warning: nobody polls task queue '${taskQueue}' (namespace default) on temporal: what starts there waits for a worker.`;
    expect(set(...guard)).toEqual([nobody]);
    // The same guard again is no news.
    expect(set('--guard', 'on', '--temporal', server().address)).toEqual([]);
  }, 120_000);

  it('warns of a namespace that the engine has not, and of a server that does not answer', () => {
    const database = freshSchema();
    const set = (...more: string[]) =>
      branchline(database, 'route', 'set', 'signup', '--task-queue', 'q', ...more).warnings;
    expect(set('--in', 'prod')).toEqual(["Warning: engine 'postgres' has no namespace 'prod'."]);
    const away = set('--engine', 'temporal', '--temporal', '127.0.0.1:1');
    expect(away[0]).toBe('Warning: no Temporal server answers at 127.0.0.1:1.');
    expect(away[1]).toBe("Warning: engine 'temporal' was not asked whether workers are there.");
  }, 120_000);
});

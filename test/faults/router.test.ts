/** The router under SIGKILL: whoever dies when, an id has one open run at most, and no answered start is lost. */
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { Client, Connection as TemporalConnection, WorkflowNotFoundError } from '@temporalio/client';
import { expect, it } from 'vitest';
import { Connection } from '../../shim/client';
import { RoutedConnection } from '../../shim/router';
import { afterTest, freshSchema, sql } from '../support/database';
import { watchHistories } from '../support/histories';
import { describeWithTemporal } from '../support/temporal';

const ROUNDS = 6;
const PROCESSES = 2;
const SENT_PER_ROUND = 30;

interface Said {
  sent?: string;
  done?: string;
  runId?: string;
  refused?: string;
}

describeWithTemporal('The router, when its processes are killed', (server) => {
  it('never has two open runs of an id, loses no start that was answered, and frees every id in the end', async () => {
    const database = freshSchema();
    const temporal = await TemporalConnection.connect({ address: server().address });
    afterTest(() => temporal.close());
    const postgres = await Connection.connect({ ...database });
    afterTest(() => postgres.close());
    watchHistories(database);
    const plain = [new Client({ connection: temporal }), new Client({ connection: postgres })];
    const ids = Array.from({ length: 4 }, () => `killed-${randomUUID()}`);
    const answered: { workflowId: string; runId: string }[] = [];
    const refusals: string[] = [];

    const runOf = async (client: Client, id: string, runId?: string) => {
      try {
        return await client.workflow.getHandle(id, runId).describe();
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return undefined;
        throw error;
      }
    };
    const openOn = async (id: string): Promise<number> => {
      const runs = await Promise.all(plain.map((client) => runOf(client, id)));
      return runs.filter((run) => run?.status.name === 'RUNNING').length;
    };

    const start = async (): Promise<{ child: ChildProcess; enough: Promise<void> }> => {
      const child = fork(path.join(__dirname, '../support/processes/routed-starter.ts'), {
        execArgv: ['--import', 'tsx'],
        env: {
          ...process.env,
          DATABASE_URL: database.url,
          SCHEMA: database.schema,
          TEMPORAL: server().address,
          IDS: ids.join(','),
          QUEUE: 'nobody',
        },
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      let sent = 0;
      const enough = new Promise<void>((resolve) => {
        child.on('message', (said: Said) => {
          if (said.done !== undefined) answered.push({ workflowId: said.done, runId: said.runId! });
          if (said.refused !== undefined) refusals.push(said.refused);
          if (said.sent !== undefined && ++sent === SENT_PER_ROUND) resolve();
        });
      });
      await once(child, 'message');
      return { child, enough };
    };

    for (let round = 0; round < ROUNDS; round++) {
      const processes = await Promise.all(Array.from({ length: PROCESSES }, start));
      await processes[round % PROCESSES]!.enough;
      // In the middle of whatever they do.
      const gone = processes.map(({ child }) => once(child, 'exit'));
      for (const { child } of processes) child.kill('SIGKILL');
      await Promise.all(gone);
      for (const id of ids) expect(await openOn(id)).toBeLessThanOrEqual(1);
    }
    expect(answered.length).toBeGreaterThan(ROUNDS);
    for (const refusal of refusals) expect(refusal).toContain('WorkflowExecutionAlreadyStartedError');
    for (const { workflowId, runId } of answered) {
      const runs = await Promise.all(plain.map((client) => runOf(client, workflowId, runId)));
      expect(runs.filter((run) => run !== undefined)).toHaveLength(1);
    }
    const moved = await sql<{ past: string[] }>(`SELECT past FROM ${database.schema}.routed_ids`);
    expect(moved.some(({ past }) => past.length > 0)).toBe(true);

    // What the dead left open is settled, and every id can be started again.
    const routed = await RoutedConnection.connect({
      temporal,
      postgres,
      routes: { default: 'postgres' },
      graceMs: 1000,
    });
    afterTest(() => routed.close());
    await expect
      .poll(
        async () => {
          await routed.reconcile();
          return sql(`SELECT id FROM ${database.schema}.routed_ids WHERE starting <> '{}'`);
        },
        { timeout: 60_000 },
      )
      .toEqual([]);
    const client = new Client({ connection: routed });
    for (const workflowId of ids) {
      await client.workflow
        .getHandle(workflowId)
        .terminate()
        .catch(() => undefined);
      const handle = await client.workflow.start('any', { workflowId, taskQueue: 'nobody' });
      expect(await openOn(workflowId)).toBe(1);
      await handle.terminate();
    }
  }, 240_000);
});
